#!/usr/bin/env bash
# Runs every scenario on a real node: `make e2e`.
#
#   tests/cluster/e2e.sh [FILTER...]     all scenarios, or those whose test's name contains a FILTER
#
# Brings up the node of `make cluster`, installs the operator as a user would, runs the tests, and takes all of it down. KEEP=1
# leaves the node up. PROFILE=image tests the images that users get, in place of those of development builds, which
# tests need anyway. With KUBECONFIG set that cluster is used, which must be there for tests and have the images; the tests
# that kill processes of the node are left out then.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"
source "$cluster/processes.sh"
source "$cluster/images.sh"
source "$cluster/operator.sh"
find_programs
PATH=$(dirname "$PROGRAMS_kubectl"):$PATH

own=${KUBECONFIG:+no}
finish() {
  local code=$?
  if [ "$code" != 0 ]; then
    kubectl get mlpipelines,pods --all-namespaces -o wide || true
    kubectl -n mlpipeline-system logs -l app.kubernetes.io/name=mlpipeline-operator --tail=40 || true
  fi >&2
  if [ -z "$own" ] && [ -z "${KEEP:-}" ]; then "$cluster/down.sh"; fi
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

started=$SECONDS
if [ -z "$own" ]; then
  KUBECONFIG=$("$cluster/up.sh")
  export KUBECONFIG
  load_images "${PROFILE:-dev}"
  server_images
fi
install_operator
say "the cluster and the operator are there after $((SECONDS - started)) s"

scenarios() {
  cargo test --workspace --locked --features mlpipeline-tests/cluster,mlpipeline-tests/api-server --test cluster -- "$@"
}

# Runs scenarios. On a busy machine a real node has pauses of its own (a probe that is late, a lease that runs out), so one that fails
# is tried once more, by itself and from nothing; both attempts are printed.
attempt() {
  local log failed name
  log=$(mktemp)
  if scenarios "$@" 2>&1 | tee "$log"; then
    rm -f "$log"
    return
  fi
  failed=$(sed -n 's/^test \(.*\) \.\.\. FAILED$/\1/p' "$log")
  rm -f "$log"
  [ -n "$failed" ] || return 1
  for name in $failed; do
    say "FAILED ONCE, and is tried again: $name"
    kubectl delete namespace --ignore-not-found --wait ml-course data-prep k8s-pipe jobs-lesson introduction etl mlops
    kubectl delete persistentvolume --ignore-not-found node-folder
    scenarios --exact "$name"
  done
}
started=$SECONDS
if [ -n "$own" ]; then
  say "LEFT OUT: the tests that kill processes of the node, since this node is not ours"
fi
if [ $# -gt 0 ]; then
  attempt --test-threads=1 ${own:+--skip faults} "$@"
else
  # Two at a time: the node has few processors, and each scenario mostly waits.
  attempt --test-threads=2 --skip faults
  [ -n "$own" ] || attempt --test-threads=1 faults
fi
remove_operator
# By name of the kinds: kubectl remembers for a while that MLPipelines are of "all" too, and would ask for them.
kinds=jobs,cronjobs,deployments,statefulsets,daemonsets,pods,services,persistentvolumeclaims
left=$(kubectl get "$kinds" --all-namespaces -o name -l app.kubernetes.io/part-of=mlpipeline)
[ -z "$left" ] || fail "left behind: $left"
say "all scenarios in $((SECONDS - started)) s"
