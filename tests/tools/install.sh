#!/usr/bin/env bash
# Installs the programs that tests need beside the Rust toolchain, where that can be done without asking; else says
# which are missing and what for. Under CI=true a missing program is an error, since no test may be skipped there. With --node it
# is about what a node is made of (tests/cluster/up.sh).
set -euo pipefail

# program, Debian package, what for
needed=(
  "cc gcc links Rust programs and builds the C parts of dependencies"
  "c++ g++ builds libFuzzer, which looks for bytes that a reader cannot take"
  "curl curl commands of the documentation, which tests run"
)
if [ "${1:-}" = --node ]; then
  needed=(
    "containerd containerd runs containers"
    "runc runc starts a container"
    "/usr/lib/cni/bridge containernetworking-plugins connects pods"
    "nft nftables routes Services, inside the cluster's own network"
    "iptables iptables maps ports of pods on the node, inside the cluster's own network"
    "conntrack conntrack forgets connections to pods that are gone"
    "ip iproute2 makes the cluster's network"
    "nsenter util-linux enters it"
    "mount mount volumes"
    "sysctl procps sets what routes packets, inside the cluster's own network"
    "openssl openssl makes certificates"
    "buildah buildah makes images"
    "xz xz-utils unpacks the packages that images hold"
    "busybox busybox-static is the image of volumes' helpers and of samples"
  )
fi

missing=()
packages=()
for entry in "${needed[@]}"; do
  read -r program package purpose <<<"$entry"
  if ! command -v "$program" >/dev/null; then
    missing+=("$program ($purpose)")
    packages+=("$package")
  fi
done
# Debian keeps PostgreSQL's own programs out of the PATH. The tests that need it are left out where it cannot be had.
if [ "${1:-}" != --node ] && ! command -v initdb >/dev/null && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
  if [ "${CI:-}" = true ] || { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }; then
    missing+=("initdb (the database that tests read from and write to)")
    packages+=(postgresql)
  fi
fi
# Debian keeps what makes an environment of Python in a package of its own.
if [ "${1:-}" != --node ] && ! python3 -c 'import ensurepip' 2>/dev/null; then
  if [ "${CI:-}" = true ] || { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }; then
    missing+=("python3 with venv (the judges of the chart that are Python programs)")
    packages+=(python3-venv)
  fi
fi
[ "${#missing[@]}" -gt 0 ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  printf 'installing %s\n' "${packages[*]}" >&2
  export DEBIAN_FRONTEND=noninteractive
  # Only the programs are wanted: a service that a package starts (containerd, PostgreSQL) would take ports and make folders.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM HUP
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  apt-get update -qq </dev/null
  apt-get install -y -qq --no-install-recommends "${packages[@]}" </dev/null >/dev/null
  exit 0
fi

printf 'missing: %s\n' "${missing[@]}" >&2
printf 'install them with your package manager; on Debian and Ubuntu: sudo apt-get install %s\n' "${packages[*]}" >&2
exit 1
