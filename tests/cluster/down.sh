#!/usr/bin/env bash
# Stops the one-node cluster and removes every trace of it: processes, containers, mounts, network, folder. Doing it twice, or
# after a start that broke off, does no harm.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"
source "$cluster/processes.sh"

[ -e "$STATE" ] || [ -e "/run/netns/$NETNS" ] || exit 0
[ "$(id -u)" = 0 ] || fail "the cluster was started by root: run this as root"

# First who starts containers, then the containers, then who keeps them.
for name in kubelet metrics-server local-path-provisioner coredns kube-proxy kube-scheduler kube-controller-manager; do
  stop "$name"
done

containers() {
  alive containerd || return 0
  local ctr=(ctr --address "$CONTAINERD_SOCKET" --namespace k8s.io) id
  for id in $("${ctr[@]}" tasks list --quiet); do "${ctr[@]}" tasks kill --signal KILL --all "$id" || true; done
  for id in $("${ctr[@]}" tasks list --quiet); do "${ctr[@]}" tasks delete --force "$id" || true; done
} >/dev/null 2>&1
containers
stop containerd
# Shims outlive containerd, by design.
pkill -KILL -f "containerd-shim.*$CONTAINERD_SOCKET" || true
stop kube-apiserver
stop etcd

# Deepest first, and again until none is left: mounts lie upon mounts.
unmount() {
  local tries
  for tries in 1 2 3 4 5; do
    awk -v under="$STATE/" 'index($5, under) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
      while read -r point; do umount -l "$point" 2>/dev/null || true; done
    grep -qF " $STATE/" /proc/self/mountinfo || return 0
  done
  fail "cannot unmount what is left under $STATE (attempt $tries)"
}
unmount
if [ -e "/run/netns/$NETNS" ]; then ip netns delete "$NETNS"; fi
ip link delete mlp-host 2>/dev/null || true
# Groups of processes, whichever controllers this machine has.
find /sys/fs/cgroup -depth -type d -path '*/mlpipeline-cluster*' -exec rmdir {} + 2>/dev/null || true
rm -rf "$STATE"
say "the cluster is gone"
