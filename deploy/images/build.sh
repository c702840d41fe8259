#!/usr/bin/env bash
# Builds the images of the operator and the worker, as archives that `docker load`, `podman load` and `ctr images import` take.
#
#   deploy/images/build.sh FOLDER                  write mlpipeline-operator.tar and mlpipeline-worker.tar to FOLDER
#   deploy/images/build.sh --profile dev FOLDER    of programs built for development: big, but there in seconds
#
# Compiles with the Rust toolchain of this machine, which must be Linux with glibc, and puts the image together with buildah, podman
# or docker, whichever is there. Needs no root with the first two. IMAGE_PREFIX names another registry than ghcr.io/mlpipeline/.
# The C library and the certificates in the images are those of base.txt, by digest, whatever this machine has.
#
# An image is of the architecture of the machine that builds it, amd64 or arm64; .github/workflows/release.yml joins both under one name.
# The same commit and toolchain make the same programs in any folder, and with buildah or podman the same archive: `make reproducible`.
set -euo pipefail

profile=image
if [ "${1:-}" = --profile ]; then profile=$2; shift 2; fi
[ $# = 1 ] || { sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 2; }
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
for tool in buildah podman docker ''; do
  [ -n "$tool" ] || fail "none of buildah, podman and docker is here: one of them puts the images together"
  if command -v "$tool" >/dev/null; then break; fi
done
work=$(mktemp -d "${TMPDIR:-/tmp}/mlpipeline-images.XXXXXX")
store=(--root "$work/store" --runroot "$work/run" --storage-driver vfs)
trap 'rm -rf "$work"' EXIT

# The newest version of the C library that a program or library names.
glibc_of() { readelf --version-info --wide "$1" | grep -o 'GLIBC_[0-9.]*' | sort --version-sort | tail -n 1; }

# The root folder of an image: the program, and of the base the shared libraries that it names, where the program looks for them.
root_of() {
  local program=$1 root=$work/$1 newest loader library
  install -D -m 755 "$target/${profile/dev/debug}/$program" "$root/bin/$program"
  # A debug build's line tables are as big as its code.
  strip "$root/bin/$program"
  newest=$(printf '%s\n' "$(glibc_of "$root/bin/$program")" "$(glibc_of "$work/base/lib/libc.so.6")" | sort --version-sort | tail -n 1)
  [ "$newest" = "$(glibc_of "$work/base/lib/libc.so.6")" ] ||
    fail "$program was linked with a newer C library ($newest) than the images hold: build on Debian 13, Ubuntu 24.04 or older, or name a newer one in deploy/images/base.txt"
  loader=$(readelf --program-headers --wide "$root/bin/$program" | sed -n 's/.*program interpreter: \(.*\)]/\1/p')
  install -D -m 755 "$work/base/lib/$(basename "$loader")" "$root$loader"
  readelf --dynamic --wide "$root/bin/$program" | sed -n 's/.*(NEEDED).*\[\(.*\)]/\1/p' | while read -r library; do
    [ "$library" = "$(basename "$loader")" ] || install -D -m 755 "$work/base/lib/$library" "$root/lib/$library"
  done
  install -D -m 644 "$work/base/certificates.pem" "$root/etc/ssl/certs/ca-certificates.crt"
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

# Programs for users list in themselves what they were built of, for scanners: cargo-auditable.
compile="cargo build"
if [ "$profile" = image ]; then
  auditable=${XDG_CACHE_HOME:-$HOME/.cache}/mlpipeline/cargo-auditable-0.7.7
  [ -x "$auditable/bin/cargo-auditable" ] ||
    CARGO_TARGET_DIR=$auditable/build cargo install cargo-auditable --version 0.7.7 --locked --quiet --root "$auditable"
  export PATH=$auditable/bin:$PATH
  compile="cargo auditable build"
fi
# Without these the programs would hold the names of this machine's folders. Development builds share theirs with the tests'.
if [ "$profile" = image ]; then
  export RUSTFLAGS="--remap-path-prefix=$PWD=/src --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo ${RUSTFLAGS:-}"
fi
deploy/images/base.sh "$work/base"
$compile --workspace --profile "$profile" --locked --bin mlpipeline-operator --bin mlpipeline-worker
for program in mlpipeline-operator mlpipeline-worker; do
  root_of "$program"
  image "$program"
done
