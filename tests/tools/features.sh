#!/usr/bin/env bash
# Prints the cargo flags for the tests that this machine can run, and says on stderr what is left out and why. Under CI=true
# nothing may be left out. With --quiet it only prints. With --node it prints nothing, and its success says that the scenarios on
# a real node can be run.
set -euo pipefail

if [ "${1:-}" = --node ]; then
  if [ -n "${KUBECONFIG:-}" ]; then exit 0; fi
  if [ "$(uname -s)" = Linux ] && [ "$(id -u)" = 0 ] && command -v go >/dev/null; then exit 0; fi
  printf '%s: the scenarios on a real node need Linux, root and Go (make e2e), or the KUBECONFIG of a test cluster\n' \
    "$([ "${CI:-}" = true ] && echo error || echo 'LEFT OUT')" >&2
  exit 1
fi

quiet=${1:-}
features=()

left_out() {
  if [ "${CI:-}" = true ]; then
    printf 'error: %s\n' "$1" >&2
    exit 1
  fi
  [ "$quiet" = --quiet ] || printf 'LEFT OUT: %s\n' "$1" >&2
}

if command -v go >/dev/null || [ -n "${KUBEBUILDER_ASSETS:-}" ] || [ -n "${KUBECONFIG:-}" ]; then
  features+=(mlpipeline-tests/api-server)
else
  left_out "the tests against a real API server need Go 1.25 or newer to build one (https://go.dev/dl/), or KUBEBUILDER_ASSETS, a \
folder with etcd, kube-apiserver, kube-controller-manager and kubectl, or the KUBECONFIG of a test cluster"
fi

versitygw=$("$(dirname "${BASH_SOURCE[0]}")/build.sh" --where | sed -n 's/^versitygw //p')
postgres=$(command -v initdb || ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | head -n 1 || true)
if [ -n "$postgres" ] && { [ -x "$versitygw" ] || command -v go >/dev/null; }; then
  features+=(mlpipeline-tests/stores)
else
  left_out "the tests against real stores need PostgreSQL (apt-get install postgresql) and Go 1.25 or newer to build an S3 server"
fi

if command -v go >/dev/null && python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  features+=(mlpipeline-tests/charts)
else
  left_out "the tests of the chart need Go 1.25 or newer to build helm and its judges, and Python 3.11 or newer with venv"
fi

if python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  features+=(mlpipeline-tests/onnx)
else
  left_out "the tests of exported models need Python 3.11 or newer with venv"
fi

if [ "${#features[@]}" -gt 0 ]; then
  (IFS=,; printf -- '--features %s\n' "${features[*]}")
fi
