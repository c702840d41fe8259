#!/usr/bin/env bash
# Installs ONNX Runtime, which tests/tests/onnx.rs runs exported models with, outside of the clone: pinned with the digests of every
# file, in an environment of its own.
#
#   tests/tools/onnx.sh            install what is not there yet
#   tests/tools/onnx.sh --where    the folder of the environment, there or not
#   tests/tools/onnx.sh --lock     write onnx/requirements.txt anew from onnx/requirements.in, with the uv of judges.sh
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mlpipeline/tools
# An environment belongs to the Python that made it.
version=$(python3 -c 'import sys; print(*sys.version_info[:2], sep=".")')
hash=$({ sha256sum 2>/dev/null || shasum -a 256; } <"$here/onnx/requirements.txt" | cut -c1-16)
folder=$cache/onnx-$version-$hash

case ${1:-} in
  --where)
    printf '%s\n' "$folder"
    exit
    ;;
  --lock)
    uv=$("$here/judges.sh" --where)/bin/uv
    [ -x "$uv" ] || { printf 'run tests/tools/judges.sh first: it brings uv\n' >&2; exit 1; }
    "$uv" pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 \
      --custom-compile-command 'tests/tools/onnx.sh --lock' "$here/onnx/requirements.in" --output-file "$here/onnx/requirements.txt"
    exit
    ;;
esac

[ ! -e "$folder/whole" ] || exit 0
mkdir -p "$cache"
if command -v flock >/dev/null; then
  exec 9>"$cache/onnx.lock"
  flock 9
fi
[ ! -e "$folder/whole" ] || exit 0
printf 'installing ONNX Runtime for tests (once)\n' >&2
rm -rf "$folder"
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check --require-hashes --requirement "$here/onnx/requirements.txt"
touch "$folder/whole"
