#!/usr/bin/env bash
# Builds the images of the operator and the worker, as archives that `docker load`, `podman load` and `ctr images import` take.
#
#   deploy/images/build.sh FOLDER                  write mlpipeline-operator.tar and mlpipeline-worker.tar to FOLDER
#   deploy/images/build.sh --profile dev FOLDER    of programs built for development: big, but there in seconds
#
# Compiles with the Rust toolchain of this machine, which must be Linux with glibc, and puts the image together with buildah, podman
# or docker, whichever is there. Needs no root with the first two. IMAGE_PREFIX names another registry than ghcr.io/mlpipeline/.
#
# An image is of the architecture of the machine that builds it, amd64 or arm64; .github/workflows/release.yml joins both under one name.
# The same commit and toolchain make the same programs in any folder, and with buildah or podman the same archive: `make reproducible`.
set -euo pipefail

profile=image
if [ "${1:-}" = --profile ]; then profile=$2; shift 2; fi
[ $# = 1 ] || { sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { printf '%s\n' "$*" >&2; exit 1; }

prefix=${IMAGE_PREFIX:-ghcr.io/mlpipeline/}
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
# The time of everything in the images: that of the commit. Cargo does not get to see it: build scripts of C code ask for this
# variable, and everything that depends on them would be compiled again at each commit.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
export -n SOURCE_DATE_EPOCH
target=${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/mlpipeline/target}
export CARGO_TARGET_DIR=$target
certificates=/etc/ssl/certs/ca-certificates.crt
[ -s "$certificates" ] || fail "$certificates is missing: install the package ca-certificates"
for tool in buildah podman docker ''; do
  [ -n "$tool" ] || fail "none of buildah, podman and docker is here: one of them puts the images together"
  if command -v "$tool" >/dev/null; then break; fi
done
work=$(mktemp -d "${TMPDIR:-/tmp}/mlpipeline-images.XXXXXX")
store=(--root "$work/store" --runroot "$work/run" --storage-driver vfs)
trap 'rm -rf "$work"' EXIT

# The root folder of an image: the program and the shared libraries that it names.
root_of() {
  local program=$1 root=$work/$1 library
  install -D -m 755 "$target/${profile/dev/debug}/$program" "$root/bin/$program"
  # A debug build's line tables are as big as its code.
  strip "$root/bin/$program"
  ldd "$root/bin/$program" | grep -o '/[^ ]*' | while read -r library; do install -D -m 755 "$library" "$root$library"; done
  install -D -m 644 "$certificates" "$root$certificates"
  install -d -m 1777 "$root/tmp"
  mkdir -p "$root/etc"
  printf 'nonroot:x:65532:65532:nonroot:/:/bin/false\n' >"$root/etc/passwd"
  printf 'nonroot:x:65532:\n' >"$root/etc/group"
  find "$root" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +
}

image() {
  local program=$1 name=$prefix$1:$version archive=$out/$1.tar
  local arguments=(--file "deploy/images/${program#mlpipeline-}.Containerfile" --tag "$name"
    --build-arg "VERSION=$version" --build-arg "REVISION=$revision" --build-arg "CREATED=$(date --utc --date "@$SOURCE_DATE_EPOCH" +%FT%TZ)")
  rm -f "$archive"
  case $tool in
    buildah)
      buildah "${store[@]}" build --quiet --isolation chroot --timestamp "$SOURCE_DATE_EPOCH" "${arguments[@]}" "$work" >/dev/null
      buildah "${store[@]}" push --quiet "$name" "docker-archive:$archive:$name"
      ;;
    podman)
      podman "${store[@]}" build --quiet --timestamp "$SOURCE_DATE_EPOCH" "${arguments[@]}" "$work" >/dev/null
      podman "${store[@]}" save --quiet --output "$archive" "$name"
      ;;
    docker)
      SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH docker build --quiet "${arguments[@]}" "$work" >/dev/null
      docker save --output "$archive" "$name"
      ;;
  esac
  printf '%s  %s unpacked  %s\n' "$name" "$(du -sh --apparent-size "$work/$program" | cut -f1)" "$archive"
}

# Without these the programs would hold the names of this machine's folders. Development builds share theirs with the tests'.
if [ "$profile" = image ]; then
  export RUSTFLAGS="--remap-path-prefix=$PWD=/src --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo ${RUSTFLAGS:-}"
fi
cargo build --workspace --profile "$profile" --locked --bin mlpipeline-operator --bin mlpipeline-worker
for program in mlpipeline-operator mlpipeline-worker; do
  root_of "$program"
  image "$program"
done
