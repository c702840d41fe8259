#!/usr/bin/env bash
# Builds the images twice, from two copies of this commit in folders of different names, and fails where programs or archives differ.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
work=$(mktemp -d "${TMPDIR:-/tmp}/mlpipeline-twice.XXXXXX")
trap 'rm -rf "$work"' EXIT

for copy in one another; do
  git clone --quiet . "$work/$copy/source"
  CARGO_TARGET_DIR=$work/$copy/target "$work/$copy/source/deploy/images/build.sh" "$work/$copy/images"
  (cd "$work/$copy/target/image" && sha256sum mlpipeline-operator mlpipeline-worker) >"$work/$copy.sha256"
  # Docker writes the time of the build into its archives.
  if command -v buildah podman >/dev/null; then (cd "$work/$copy/images" && sha256sum ./*.tar) >>"$work/$copy.sha256"; fi
  # One target folder at a time: each is gigabytes.
  rm -rf "$work/$copy/target"
done
diff "$work/one.sha256" "$work/another.sha256"
cat "$work/one.sha256"
