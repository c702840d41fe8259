#!/usr/bin/env bash
# The crash course on a real Kubernetes, from nothing to predictions: `make demo-cluster`. `make cluster-down` removes it all.
#
# Needs Linux and root for a node of its own (tests/cluster/up.sh). With KUBECONFIG set that cluster is used, which must be able to
# pull the images.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source tests/cluster/settings.sh
source tests/cluster/processes.sh
source tests/cluster/namespaces.sh
source tests/cluster/images.sh
source tests/cluster/operator.sh
find_programs
command -v kubectl >/dev/null || PATH=$(dirname "$PROGRAMS_kubectl"):$PATH

bold='' plain=''
if [ -t 1 ]; then bold=$'\e[1m' plain=$'\e[0m'; fi
part() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
run() {
  printf '\n%s$ %s%s\n' "$bold" "$*" "$plain"
  "$@"
}

part "1. A cluster, and the operator on it by its Helm chart"
if own_node; then
  exports=$(tests/cluster/up.sh)
  eval "$exports"
  load_images "${PROFILE:-dev}"
fi
install_operator >/dev/null
PATH=$(dirname "$PROGRAMS_helm"):$PATH
run helm --namespace mlpipeline-system list
run helm --namespace mlpipeline-system test mlpipeline
run kubectl -n mlpipeline-system get pods

part "2. One file says what should be true"
started=$SECONDS
run kubectl apply -k deploy/samples/crash-course
run kubectl -n ml-course wait --for=condition=Ready mlp/iris --timeout=180s
run kubectl -n ml-course get mlpipelines -o wide
run kubectl -n ml-course get pods
ready=$((SECONDS - started))

part "3. Predictions"
node=$(kubectl get nodes -o 'jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}')
run curl --silent --fail "http://$node:30080/predict" --header 'content-type: application/json' \
  --data '{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}'
printf '\n\nReady %s s after apply. Look around:\n' "$ready"
if own_node; then printf '  %s\n' "$exports"; fi
printf '  kubectl -n ml-course get mlpipelines,pods\n  the page of the model: http://%s:30080/docs\n' "$node"
if own_node; then printf 'make cluster-down removes all of it.\n'; fi
