#!/usr/bin/env bash
# Installs cargo-deny into the given folder where there is none on the PATH. It is built once, outside of the clone.
set -euo pipefail

version=0.20.2
tools=$1

if ! command -v cargo-deny >/dev/null; then
  echo "building cargo-deny $version into $tools: this takes a few minutes, once"
  CARGO_TARGET_DIR="$tools/build" cargo install cargo-deny --version "$version" --locked --quiet --root "$tools"
  rm -rf "$tools/build"
fi
