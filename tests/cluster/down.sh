#!/usr/bin/env bash
# Stops the one-node cluster and removes every trace of it: processes, pods, network, folder. Doing it twice, or after a start that
# stopped half-way, does no harm.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"
source "$cluster/processes.sh"

[ -e "$STATE" ] || [ -n "$(processes)" ] || exit 0
[ "$(id -u)" = 0 ] || fail "the cluster was started by root: run this as root"
one_at_a_time "$@"

# Nothing has to be stopped gracefully, since nothing is kept. Network and mounts of the node go with its last process.
kill_all
ip link delete mlp-host 2>/dev/null || true

# Folders that were created for mounts of the node. One that is in use by now is not empty, and stays.
if [ -e "$STATE/places" ]; then
  tac "$STATE/places" | while read -r place; do rmdir "$place" 2>/dev/null || true; done
fi

# The kernel takes a moment to see that a group has no processes any more.
remove_groups() {
  local left
  for _ in $(seq 50); do
    find /sys/fs/cgroup/mlpipeline-cluster /sys/fs/cgroup/*/mlpipeline-cluster -depth -type d -exec rmdir {} \; 2>/dev/null || true
    left=$(find /sys/fs/cgroup/mlpipeline-cluster /sys/fs/cgroup/*/mlpipeline-cluster -maxdepth 0 2>/dev/null || true)
    [ -n "$left" ] || return 0
    sleep 0.1
  done
  fail "groups of processes of the cluster cannot be removed: $left"
}
remove_groups

# Nothing of the cluster's is mounted for others to see. If something is, it is not ours.
if grep -F " $STATE/" /proc/self/mountinfo >&2; then fail "unmount what is mounted below $STATE first"; fi
rm -rf --one-file-system "$STATE"
say "the cluster is gone"
