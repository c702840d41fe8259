#!/usr/bin/env bash
# Kills processes of the one-node cluster with SIGKILL, for tests of what survives that. Those of the machine are never touched.
#
#   tests/cluster/kill.sh program NAME    a program of the node, such as kubelet; up.sh starts it again
#   tests/cluster/kill.sh pods PATTERN    what runs in pods and has a command line that matches, if there is any
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"
source "$cluster/processes.sh"

case ${1:-} in
  program)
    alive "$2" || fail "$2 does not run: this needs the node of make cluster"
    kill -KILL "$(cat "$STATE/pids/$2")"
    ;;
  pods)
    for pid in $(processes); do
      # It may end by itself meanwhile.
      line=$(tr '\0' ' ' <"/proc/$pid/cmdline") || continue
      if [[ $line =~ $2 ]]; then kill -KILL "$pid" || true; fi
    done 2>/dev/null
    ;;
  *)
    sed -n '2,5s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
