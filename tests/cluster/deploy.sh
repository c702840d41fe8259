#!/usr/bin/env bash
# Builds the images of operator and worker, puts them on the node of `make cluster`, and installs the operator: `make deploy`. Doing
# it again takes up what was changed meanwhile. PROFILE=image builds the images that users get, which takes minutes.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"
source "$cluster/processes.sh"
source "$cluster/namespaces.sh"
source "$cluster/images.sh"
source "$cluster/operator.sh"

own_node || fail "KUBECONFIG names another cluster than that of make cluster: docs/how-to/run-on-a-cluster.md says how to install there"
find_programs
export KUBECONFIG=$KUBECONFIG_FILE PATH=$(dirname "$PROGRAMS_kubectl"):$PATH
load_images "${PROFILE:-dev}"
install_operator
