#!/usr/bin/env bash
# Fetches the CustomResourceDefinitions of a program that the tests bring together with ours, into a folder outside of the clone.
#
#   tests/tools/crds.sh PROGRAM            fetch what is not there yet
#   tests/tools/crds.sh --where PROGRAM    the folder, there or not
#   tests/tools/crds.sh --source PROGRAM   the folder of the whole module, fetched if it is not there
#
# The folder PROGRAM beside this file pins the module that they come from.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=${*: -1}
case $program in
  flux)
    module=github.com/fluxcd/kustomize-controller
    files=config/crd/bases/*.yaml
    ;;
  # Only asked for its source: all of it is installed.
  kueue) module=sigs.k8s.io/kueue files= ;;
  prometheus-operator)
    # What the chart's PodMonitor, ServiceMonitor and PrometheusRule are checked against.
    module=github.com/prometheus-operator/prometheus-operator
    files=$(printf 'example/prometheus-operator-crd/monitoring.coreos.com_%s.yaml ' podmonitors servicemonitors prometheusrules)
    ;;
  *) printf '%s: no definitions are fetched of it\n' "$program" >&2; exit 2 ;;
esac
hash=$(cat "$here/$program"/go.* | { sha256sum 2>/dev/null || shasum -a 256; } | cut -c1-16)
folder=${XDG_CACHE_HOME:-$HOME/.cache}/mlpipeline/tools/$hash/crds
if [ "${1:-}" = --where ]; then
  printf '%s\n' "$folder"
  exit
fi
[ "${1:-}" = --source ] || [ ! -d "$folder" ] || exit 0
# The sum of the module is compared with go.sum.
source=$(cd "$here/$program" && GOWORK=off GOFLAGS=-mod=mod go mod download -json "$module" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
if [ "${1:-}" = --source ]; then
  printf '%s\n' "$source"
  exit
fi
part=$folder.$$
mkdir -p "$part"
(cd "$source" && cp $files "$part")
chmod 644 "$part"/*
mv -T "$part" "$folder" 2>/dev/null || rm -rf "$part"
