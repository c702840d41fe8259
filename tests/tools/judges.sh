#!/usr/bin/env bash
# Installs the judges of the chart that are Python programs, checkov and kubernetes-validate, outside of the clone: pinned with the
# digests of every file, in an environment of their own.
#
#   tests/tools/judges.sh            install what is not there yet
#   tests/tools/judges.sh --where    the folder of the environment, there or not
#   tests/tools/judges.sh --lock     write judges/*.txt anew from judges/requirements.in
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mlpipeline/tools
# An environment belongs to the Python that made it.
version=$(python3 -c 'import sys; print(*sys.version_info[:2], sep=".")')
hash=$(cat "$here"/judges/*.txt | { sha256sum 2>/dev/null || shasum -a 256; } | cut -c1-16)
folder=$cache/judges-$version-$hash

case ${1:-} in
  --where)
    printf '%s\n' "$folder"
    exit
    ;;
  --lock)
    uv=$folder/bin/uv
    [ -x "$uv" ] || { printf 'run this without --lock first: it brings uv\n' >&2; exit 1; }
    lock=("$uv" pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11
      --custom-compile-command 'tests/tools/judges.sh --lock')
    cut -d' ' -f1 "$here/judges/uv.txt" | grep '^uv==' | "${lock[@]}" - --output-file "$here/judges/uv.txt"
    "${lock[@]}" "$here/judges/requirements.in" --output-file "$here/judges/requirements.txt"
    exit
    ;;
esac

[ ! -e "$folder/whole" ] || exit 0
mkdir -p "$cache"
if command -v flock >/dev/null; then
  exec 9>"$cache/judges.lock"
  flock 9
fi
[ ! -e "$folder/whole" ] || exit 0
printf 'installing the Python judges of the chart (once)\n' >&2
rm -rf "$folder"
python3 -m venv "$folder"
# uv installs the hundred packages in seconds, pip in minutes.
"$folder/bin/pip" install --quiet --disable-pip-version-check --require-hashes --requirement "$here/judges/uv.txt"
"$folder/bin/uv" pip install --quiet --python "$folder/bin/python" --require-hashes --requirement "$here/judges/requirements.txt"
touch "$folder/whole"
