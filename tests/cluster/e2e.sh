#!/usr/bin/env bash
# Runs every scenario on a real node: `make e2e`.
#
#   tests/cluster/e2e.sh [FILTER...]     all scenarios, or those whose test's name contains a FILTER
#   tests/cluster/e2e.sh kueue           pipelines beside Kueue, which all the others do without: `make kueue`
#
# Brings up the node of `make cluster`, follows docs/how-to/run-on-a-cluster.md on it, runs the tests, removes all of it, and
# compares the machine with what it was before. A node that is up already stays up. KEEP=1 leaves everything in place, until the
# next run, or `make cluster-down` where the node was up before. PROFILE=image tests the images that users get, in place of those of
# development builds, which tests need anyway.
#
# With KUBECONFIG set that cluster is used. It must have the images, a default IngressClass, and nothing of MLPipelines yet: what the
# tests make is deleted.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"
source "$cluster/processes.sh"
source "$cluster/namespaces.sh"
source "$cluster/images.sh"
source "$cluster/operator.sh"
source "$cluster/kueue.sh"
source "$cluster/traces.sh"
repository=$(cd "$cluster/../.." && pwd)

"$cluster/../tools/install.sh"
# The number of the run that a node was brought up for, which may take it down.
owner=$STATE/e2e
before='' brought_up='' installed=''

finish() {
  local code=$?
  trap - EXIT
  if [ "$code" != 0 ] && [ -n "$installed" ]; then
    kubectl get mlpipelines,pods --all-namespaces -o wide || true
    kubectl -n mlpipeline-system logs -l app.kubernetes.io/name=mlpipeline-operator --tail=40 || true
  fi >&2
  if [ -n "${KEEP:-}" ]; then
    say "everything is left as it is"
  elif [ -n "$brought_up" ]; then
    "$cluster/down.sh"
    compare || code=1
  elif [ -n "$installed" ]; then
    remove_all >&2 || code=1
  fi
  exit "$code"
}

compare() {
  local difference
  if ! difference=$(diff <(printf '%s\n' "$before") <(traces)); then
    say "the cluster has left traces on this machine (> is there now, < was there before):" "$difference"
    return 1
  fi
}

bring_up() {
  local other exports
  "$cluster/../tools/install.sh" --node
  if [ -e "$owner" ]; then
    other=$(cat "$owner")
    if grep -qs e2e.sh "/proc/$other/cmdline"; then fail "the scenarios are being run already, by process $other"; fi
    "$cluster/down.sh"
  fi
  if [ ! -e "$STATE" ]; then
    before=$(traces)
    brought_up=yes
    mkdir -p "$STATE"
    printf '%s\n' $$ >"$owner"
  fi
  exports=$("$cluster/up.sh")
  eval "$exports"
}

# Does what the page says, as it stands there, in a shell of somebody who has just opened it.
follow_page() {
  local script
  script=$(awk '/^```bash$/ { inside = 1; next } /^```/ { inside = 0 } inside' "$repository/docs/how-to/run-on-a-cluster.md")
  [ -n "$script" ] || fail "docs/how-to/run-on-a-cluster.md has no commands"
  (cd "$repository" && env --unset=KUBECONFIG --unset=MAKEFLAGS --unset=MAKELEVEL --unset=MFLAGS bash -euxo pipefail -c "$script") >&2
}

scenarios() {
  cargo test --workspace --locked --features mlpipeline-tests/cluster,mlpipeline-tests/api-server --test cluster -- "$@"
}

trap finish EXIT
trap 'exit 130' INT TERM HUP
started=$SECONDS
left_out=()
if own_node; then
  bring_up
  must_be_free
  installed=yes
  if [ $# -gt 0 ]; then "$cluster/deploy.sh" >&2; else follow_page; fi
  server_images
  if [ "$*" = kueue ]; then install_kueue >&2; fi
  # Tests ask for this before they use the node's own folders.
  export MLPIPELINE_NODE=own
else
  unset MLPIPELINE_NODE
  find_programs
  command -v kubectl >/dev/null || PATH=$(dirname "$PROGRAMS_kubectl"):$PATH
  must_be_free
  installed=yes
  install_operator >&2
  say "LEFT OUT, since this node is not ours: the tests that kill its processes (faults), a folder of the node (in scenario_4),"
  say "the database and the bucket (scenario_5_etl) and Kueue, whose images only our node gets, and the commands of the how-to"
  left_out=(--skip faults --skip scenario_5_etl --skip kueue)
fi
say "the cluster and the operator are there after $((SECONDS - started)) s"

started=$SECONDS
if [ $# -gt 0 ]; then
  scenarios --test-threads=1 "${left_out[@]}" "$@"
else
  # Two at a time: the node has few processors, and each scenario mostly waits. Who takes the operator away, or kills processes, has
  # the cluster alone.
  scenarios --test-threads=2 --skip faults --skip release --skip kueue "${left_out[@]}"
  scenarios --test-threads=1 release
  if own_node; then scenarios --test-threads=1 faults; fi
fi
if [ -z "${KEEP:-}" ]; then
  remove_all
  installed=
  must_be_gone
fi
say "all scenarios in $((SECONDS - started)) s"
