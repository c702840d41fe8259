# Puts the operator's and the worker's images on the node, and installs the operator as a user would. Sourced, not run.

# Builds the images of profile $1 and puts them on the node of `make cluster`. On any other cluster they must be there already.
load_images() {
  "$cluster/../../deploy/images/build.sh" --profile "$1" "$STATE/images"
  local program
  for program in mlpipeline-operator mlpipeline-worker; do
    ctr_images import "$STATE/images/$program.tar" >/dev/null
    rm -f "$STATE/images/$program.tar"
  done
}

install_operator() {
  kubectl apply --server-side -k "$cluster/../../deploy/config/default"
  # The same image under the same name after a new build: pods that run take it up.
  kubectl -n mlpipeline-system rollout restart deployment/mlpipeline-operator
  kubectl -n mlpipeline-system rollout status deployment/mlpipeline-operator --timeout=120s
}

remove_operator() {
  kubectl delete -k "$cluster/../../deploy/config/default" --wait --ignore-not-found
}
