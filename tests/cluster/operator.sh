# Putting the operator's and the worker's images on the node, and installing the operator as a user would. Sourced, not run.

# Builds the images of profile $1 and puts them on the node of `make cluster`. On any other cluster they must be there already.
load_images() {
  find_node || fail "the node is not there: make cluster brings it up"
  # Buildah's notes go where those of images.sh go; cargo may need the network.
  beside "$cluster/../../deploy/images/build.sh" --profile "$1" "$STATE/images"
  local program
  for program in mlpipeline-operator mlpipeline-worker; do
    ctr_images import "$STATE/images/$program.tar" >/dev/null
    rm -f "$STATE/images/$program.tar"
  done
  # The image of workers of the version before, for the test of upgrades: the same one by another name.
  local worker
  worker=$(ctr_images list --quiet | grep -E '/mlpipeline-worker:[^:]+$' | grep -v ':before$' | head -n 1)
  ctr_images tag --force "$worker" "${worker%:*}:before" >/dev/null
}

# As a user does it: by the chart. The namespace comes first, since helm would make one without the label of its pods' standard.
install_operator() {
  "$cluster/../tools/build.sh" helm
  kubectl apply --server-side -f "$cluster/../../deploy/config/manager/namespace.yaml"
  release upgrade --install --wait --timeout 3m mlpipeline "$cluster/../../charts/mlpipeline"
  # The same image under the same name after a new build: pods that run take it up.
  kubectl -n mlpipeline-system rollout restart deployment/mlpipeline-operator
  kubectl -n mlpipeline-system rollout status deployment/mlpipeline-operator --timeout=120s
}

# helm, in the operator's namespace.
release() {
  find_programs
  "$PROGRAMS_helm" --namespace mlpipeline-system "$@"
}

# The namespaces and volumes that samples and tests make.
sample_objects() {
  sed -n 's|^  name: \(.*\)$|namespace/\1|p' "$cluster"/../../deploy/samples/*/namespace.yaml
  printf '%s\n' namespace/release-test namespace/kueue-test persistentvolume/node-folder
}

# Fails where the cluster has what the tests make and delete: it is somebody's.
must_be_free() {
  local there
  there=$(kubectl get --ignore-not-found -o name customresourcedefinition/mlpipelines.mlpipeline.dev namespace/mlpipeline-system \
    $(sample_objects) | tr '\n' ' ')
  [ -z "$there" ] || fail "this cluster is in use, and the tests would delete what is there: $there
remove it, or choose another cluster"
}

# Removes the samples, then the operator, which cleans up after pipelines.
remove_all() {
  kubectl delete --ignore-not-found --wait --timeout=180s $(sample_objects)
  release uninstall --ignore-not-found --wait --timeout 3m mlpipeline
  # What helm leaves, for good reason: the definition, and with it every pipeline.
  kubectl delete -k "$cluster/../../deploy/config/default" --wait --timeout=180s --ignore-not-found
}

# Fails if anything of the operator's or of pipelines is left.
must_be_gone() {
  local kinds left
  # By name of the kinds: kubectl remembers for a while that MLPipelines are of "all" too, and would ask for them. make generate writes
  # the file.
  kinds=$(paste -s -d , "$cluster/child-kinds.txt")
  left=$(kubectl get "$kinds,pods,configmaps,secrets" --all-namespaces -o name -l app.kubernetes.io/managed-by=mlpipeline-operator)
  left+=$(kubectl get -k "$cluster/../../deploy/config/default" --ignore-not-found -o name)
  left+=$(kubectl get --ignore-not-found -o name $(sample_objects))
  [ -z "$left" ] || fail "left behind: $left"
}
