#!/usr/bin/env bash
# Unpacks what the images hold beside the programs, as base.txt names it, into a folder: lib/ with the C library, and certificates.pem.
#
#   deploy/images/base.sh FOLDER             for the architecture of this machine
#   deploy/images/base.sh FOLDER arm64       for another one
#
# Packages are kept in $XDG_CACHE_HOME/mlpipeline/base (~/.cache where that is unset). BASE_MIRROR names another archive than Debian's;
# what has left it is taken from Debian's snapshots.
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
case ${2:-$(uname -m)} in
  x86_64 | amd64) architecture=amd64 ;;
  aarch64 | arm64) architecture=arm64 ;;
  *) echo "images are for amd64 and arm64, and this machine is ${2:-$(uname -m)}" >&2; exit 1 ;;
esac
for tool in curl ar xz sha256sum; do
  command -v "$tool" >/dev/null || { echo "$tool is missing: install curl, binutils, xz-utils and coreutils" >&2; exit 1; }
done
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mlpipeline/base
mkdir -p "$cache"
work=$(mktemp -d "${TMPDIR:-/tmp}/mlpipeline-base.XXXXXX")
trap 'rm -rf "$work"' EXIT

is_whole() { echo "$1  $2" | sha256sum --check --status 2>/dev/null; }

fetch() {
  local digest=$1 path=$2 mirror
  is_whole "$digest" "$cache/$digest" && return
  for mirror in "${BASE_MIRROR:-https://deb.debian.org/debian}" https://snapshot.debian.org/archive/debian/20261129T000000Z; do
    if curl --silent --show-error --fail --location --retry 3 --max-time 300 --output "$work/package" "$mirror/${path//+/%2B}" &&
      is_whole "$digest" "$work/package"; then
      mv "$work/package" "$cache/$digest"
      return
    fi
  done
  echo "$path with the SHA-256 $digest cannot be had; see deploy/images/base.txt" >&2
  exit 1
}

while read -r of digest path; do
  case $of in "$architecture" | all) ;; *) continue ;; esac
  fetch "$digest" "$path"
  ar p "$cache/$digest" data.tar.xz | tar --extract --xz --directory "$work"
done <"$here/base.txt"
mkdir -p "$out/lib"
find "$work/usr/lib" -maxdepth 2 -name '*.so.[0-9]*' -exec cp --dereference {} "$out/lib/" \;
cat "$work"/usr/share/ca-certificates/mozilla/*.crt >"$out/certificates.pem"
