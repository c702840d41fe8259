#!/usr/bin/env bash
# Fetches the CustomResourceDefinitions of the Prometheus Operator, which the chart's PodMonitor, ServiceMonitor and PrometheusRule are
# checked against, into a folder outside of the clone.
#
#   tests/tools/monitoring-crds.sh            fetch what is not there yet
#   tests/tools/monitoring-crds.sh --where    the folder, there or not
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
module=github.com/prometheus-operator/prometheus-operator
hash=$(cat "$here"/prometheus-operator/go.* | { sha256sum 2>/dev/null || shasum -a 256; } | cut -c1-16)
folder=${XDG_CACHE_HOME:-$HOME/.cache}/mlpipeline/tools/$hash/crds
if [ "${1:-}" = --where ]; then
  printf '%s\n' "$folder"
  exit
fi
[ ! -d "$folder" ] || exit 0
# The sum of the module is compared with go.sum.
source=$(cd "$here/prometheus-operator" && GOWORK=off GOFLAGS=-mod=mod go mod download -json "$module" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
part=$folder.$$
mkdir -p "$part"
cp "$source"/example/prometheus-operator-crd/monitoring.coreos.com_{podmonitors,servicemonitors,prometheusrules}.yaml "$part"
chmod 644 "$part"/*
mv -T "$part" "$folder" 2>/dev/null || rm -rf "$part"
