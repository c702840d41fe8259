#!/usr/bin/env bash
# Draws a real run of the crash course, and what an edit would re-do, as the picture in the README: `make picture`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

sample=$PWD/deploy/samples/crash-course
work=$(mktemp -d "${TMPDIR:-/tmp}/mlpipeline-picture.XXXXXX")
mkfifo "$work/server"
loopback serve "$sample/data" >"$work/server" &
server=$!
trap 'kill "$server"; rm -rf "$work"' EXIT
read -r url <"$work/server"
cp "$sample/pipeline.yaml" "$work/"
cd "$work"

# Prints a command as it was typed, without what only this script needs.
typed() {
  printf '\e[1m$ %s\e[0m\n' "$1"
}

session() {
  export CLICOLOR_FORCE=1
  typed "kubectl mlpipeline local pipeline.yaml --once"
  kubectl-mlpipeline local pipeline.yaml --once --resolve "iris-data=${url#http://}"
  printf '\n'
  typed "sed -i 's/maxIterations: 200/maxIterations: 200, alpha: 0.1/' pipeline.yaml"
  sed -i.before 's/maxIterations: 200/maxIterations: 200, alpha: 0.1/' pipeline.yaml
  typed "kubectl mlpipeline plan pipeline.yaml"
  kubectl-mlpipeline plan pipeline.yaml
}

session | terminal-picture
