#!/bin/sh
# Builds the programs that the tests run from source, into a cache folder outside of the clone.
#
#   tests/tools/build.sh [PROGRAM...]     build what is not there yet (default: what `make test` needs)
#   tests/tools/build.sh --where          for every program: its name and where it is, or would be
#
# The folder is $XDG_CACHE_HOME/mlpipeline/tools/HASH (~/.cache where that is unset), HASH being that of the files here that pin
# the program: a new version is built beside the old one. It may be removed at any time.
#
# Go's build cache compiles a package once for all programs that use it in the same version. So metrics-server and the
# local-path provisioner are in Kubernetes' module, and the modules coredns and traefik pin what they share with it to its
# versions. CoreDNS has only the plugins that the node uses. Files below a module's folder `replaced` stand in for those of the modules
# listed in its file `modules`: of Traefik, those that would link a client library for every cloud; of metrics-server, descriptions
# of types under the names that Kubernetes gave them before 1.35.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mlpipeline/tools
wanted_by_tests="etcd kube-apiserver kube-controller-manager kube-scheduler kubectl"

# Each program: its name, the folder here with its go.mod, its package.
programs="
etcd etcd go.etcd.io/etcd/server/v3
kube-apiserver kubernetes k8s.io/kubernetes/cmd/kube-apiserver
kube-controller-manager kubernetes k8s.io/kubernetes/cmd/kube-controller-manager
kube-proxy kubernetes k8s.io/kubernetes/cmd/kube-proxy
kube-scheduler kubernetes k8s.io/kubernetes/cmd/kube-scheduler
kubelet kubernetes k8s.io/kubernetes/cmd/kubelet
kubectl kubernetes k8s.io/kubernetes/cmd/kubectl
metrics-server kubernetes sigs.k8s.io/metrics-server/cmd/metrics-server
local-path-provisioner kubernetes github.com/rancher/local-path-provisioner
coredns coredns .
traefik traefik github.com/traefik/traefik/v3/cmd/traefik
versitygw versitygw github.com/versity/versitygw/cmd/versitygw
kwok kwok sigs.k8s.io/kwok/cmd/kwok
helm helm helm.sh/helm/v4/cmd/helm
kubeconform kubeconform github.com/yannh/kubeconform/cmd/kubeconform
kube-score kube-score github.com/zegl/kube-score/cmd/kube-score
promtool prometheus github.com/prometheus/prometheus/cmd/promtool
kstatus kstatus mlpipeline.dev/tests/tools/kstatus
kustomize-controller flux github.com/fluxcd/kustomize-controller
kueue kueue sigs.k8s.io/kueue/cmd/kueue
"

say() { printf '%s\n' "$*" >&2; }

# The module and package of program $1.
entry_of() {
    entry=$(printf '%s\n' "$programs" | grep "^$1 ") || {
        say "no program is called $1; there are:$(printf '%s' "$programs" | cut -d' ' -f1 | tr '\n' ' ')"
        exit 2
    }
    module=$(printf '%s' "$entry" | cut -d' ' -f2)
    package=$(printf '%s' "$entry" | cut -d' ' -f3)
}

# The folder of module $1's programs.
folder_of() {
    others=$(cd "$here/$1" && find . -type f ! -name go.mod ! -name go.sum | LC_ALL=C sort)
    hash=$(cd "$here/$1" && cat go.mod go.sum $others | { sha256sum 2>/dev/null || shasum -a 256; } | cut -c1-16)
    printf '%s/%s' "$cache" "$hash"
}

# Linker flags of module $1. Without them Kubernetes' programs say that they are v0.0.0, and refuse what is newer.
ldflags_of() {
    printf '%s' '-s -w'
    if [ "$1" = kubernetes ]; then
        version=$(sed -n 's/^.*k8s\.io\/kubernetes v/v/p' "$here/kubernetes/go.mod" | head -n 1 | cut -d' ' -f1)
        minor=$(printf '%s' "$version" | cut -d. -f2)
        for pair in "gitVersion=$version" gitMajor=1 "gitMinor=$minor"; do
            printf ' %s' "-X k8s.io/component-base/version.$pair"
        done
    fi
}

# Build tags of module $1. Without this one promtool brings the clients of every cloud, which are minutes of compiling.
tags_of() {
    if [ "$1" = prometheus ]; then printf remove_all_sd; fi
}

# Copies the modules of module $1 that files here stand in for to the folder $2, and pins the copies in a go.mod there. A file
# without contents removes the module's own.
replace_files() {
    mkdir -p "$2"
    cp "$here/$1/go.mod" "$here/$1/go.sum" "$2"
    go mod download -modfile="$2/go.mod" $(replaced_modules "$1")
    for replaced in $(replaced_modules "$1"); do
        copy=$2/$(printf '%s' "$replaced" | tr / -)
        cp -R "$(go list -modfile="$2/go.mod" -m -f '{{.Dir}}' "$replaced")" "$copy"
        chmod -R u+w "$copy"
        cp -R "$here/$1/replaced/$replaced/." "$copy"
        find "$copy" -name '*.go' -empty -exec rm {} +
        go mod edit -replace "$replaced=$copy" "$2/go.mod"
    done
}

# The modules that have a folder in $1/replaced.
replaced_modules() {
    cat "$here/$1/replaced/modules"
}

build() {
    entry_of "$1"
    # What is given need not be built.
    [ -x "${KUBEBUILDER_ASSETS:-}/$1" ] && return
    folder=$(folder_of "$module")
    [ -x "$folder/$1" ] && return
    command -v go >/dev/null || {
        say "$1 is built from Go source, and there is no go on the PATH: install Go 1.25 or newer (https://go.dev/dl/),"
        say "or set KUBEBUILDER_ASSETS to a folder with ready programs, or KUBECONFIG to a test cluster's"
        exit 1
    }
    mkdir -p "$folder"
    # One build at a time: a second one waits here, and finds the program there.
    command -v flock >/dev/null && { exec 9>"$cache/lock"; flock 9; }
    [ -x "$folder/$1" ] && return
    say "building $1 (once; minutes where Go's build cache is empty)"
    started=$(date +%s)
    part="$folder/.$1.$$"
    trap 'rm -rf "$part" "$part.sources"' EXIT
    trap 'exit 130' INT TERM
    export CGO_ENABLED=0 GOWORK=off
    (
        cd "$here/$module"
        modfile=
        if [ -e replaced ]; then
            replace_files "$module" "$part.sources"
            modfile=-modfile=$part.sources/go.mod
        fi
        nice -n 10 go build -p 2 -trimpath -buildvcs=false -mod=readonly $modfile \
            -tags "$(tags_of "$module")" -ldflags "$(ldflags_of "$module")" -o "$part" "$package"
    )
    mv "$part" "$folder/$1"
    rm -rf "$part.sources"
    say "built $1 in $(($(date +%s) - started)) s: $folder/$1"
}

if [ "${1:-}" = --where ]; then
    printf '%s' "$programs" | while read -r name module package; do
        if [ -n "$name" ]; then printf '%s %s/%s\n' "$name" "$(folder_of "$module")" "$name"; fi
    done
    exit
fi
# On a given cluster only kubectl is called, and any will do.
if [ -n "${KUBECONFIG:-}" ]; then
    wanted_by_tests=$(command -v kubectl >/dev/null || echo kubectl)
fi
for program in ${*:-$wanted_by_tests}; do
    build "$program"
done
