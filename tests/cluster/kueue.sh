# Kueue on the node, as its authors install it, from its own source. Sourced, not run.

# Builds it, puts it on the node, and installs it.
install_kueue() {
  local source folder=$STATE/kueue
  "$cluster/../tools/build.sh" kueue
  find_programs
  find_node || fail "the node is not there: make cluster brings it up"
  if ! has_image localhost/kueue:test; then
    install -D -m 755 "$PROGRAMS_kueue" "$folder/root/manager"
    make_image localhost/kueue:test "$folder/root" --user 65532:65532 --entrypoint '["/manager"]'
  fi
  source=$("$cluster/../tools/crds.sh" --source kueue)
  rm -rf "$folder/config"
  cp -r "$source/config" "$folder/config"
  chmod -R u+w "$folder/config"
  # Jobs are all that it admits here; the other kinds are not on the node.
  sed -i '/^integrations:/,/^[^ #]/{/- "/{/batch\/job/!d}}' "$folder/config/components/manager/controller_manager_config.yaml"
  kubectl kustomize "$folder/config/default" |
    sed -e 's|image: .*/kueue:.*|image: localhost/kueue:test|' -e 's|imagePullPolicy: Always|imagePullPolicy: IfNotPresent|' |
    kubectl apply --server-side --force-conflicts -f - >/dev/null
  kubectl -n kueue-system rollout status deployment/kueue-controller-manager --timeout=180s
}
