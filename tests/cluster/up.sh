#!/usr/bin/env bash
# Brings up a whole Kubernetes of one node on this machine, and prints what a shell needs to talk to it.
#
#   eval "$(tests/cluster/up.sh)"    start what is not running yet
#   tests/cluster/down.sh            stop everything and remove every trace
#
# etcd, API server, controllers, scheduler, kubelet with containerd, kube-proxy, CoreDNS, metrics-server, the local-path
# StorageClass and the ingress controller Traefik, all with a network and a view of the file system of their own: the firewall,
# routes, containers and tunables of the machine are not touched.
# Needs root, Linux, and Go to build the programs once (tests/tools/build.sh). Running it twice does no harm.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"
source "$cluster/processes.sh"
source "$cluster/namespaces.sh"
source "$cluster/certificates.sh"
source "$cluster/images.sh"

[ "$(uname -s)" = Linux ] || fail "a node needs Linux: use kind or minikube here, and set KUBECONFIG"
[ "$(id -u)" = 0 ] || fail "a node needs root: run this as root, or use kind or minikube and set KUBECONFIG"
one_at_a_time "$@"

"$cluster/../tools/install.sh" --node
"$cluster/../tools/build.sh" etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl \
  coredns metrics-server local-path-provisioner traefik
find_programs

umask 077
mkdir -p "$STATE"/{pids,logs,run,config/cni,pki,etcd,kubelet,volumes,images}
# Pods of any user reach their volumes and logs through these folders.
chmod 711 "$STATE" "$STATE/volumes" "$STATE/kubelet" "$STATE/run"

# Fills the @NAMES@ of a file in.
filled() {
  sed -e "s|@STATE@|$STATE|g" -e "s|@NODE_ADDRESS@|$NODE_ADDRESS|g" -e "s|@DNS_ADDRESS@|$DNS_ADDRESS|g" \
    -e "s|@POD_RANGE@|$POD_RANGE|g" "$1"
}

kubectl() { inside "$PROGRAMS_kubectl" --kubeconfig "$KUBECONFIG_FILE" "$@"; }

# Tries a command until it succeeds, for at most $1 seconds; then says what was waited for ($2).
await() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt "$deadline" ] || fail "$what: not within the time it should take; see $STATE/logs"
    sleep 0.2
  done
}

control_plane() {
  start etcd "$PROGRAMS_etcd" --data-dir "$STATE/etcd" --log-level error \
    --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:2380 --unsafe-no-fsync
  start kube-apiserver "$PROGRAMS_kube_apiserver" --etcd-servers http://127.0.0.1:2379 \
    --bind-address "$NODE_ADDRESS" --advertise-address "$NODE_ADDRESS" --secure-port 6443 \
    --service-cluster-ip-range "$SERVICE_RANGE" --authorization-mode Node,RBAC \
    --enable-admission-plugins NodeRestriction --allow-privileged \
    --client-ca-file "$STATE/pki/ca.crt" \
    --tls-cert-file "$STATE/pki/apiserver.crt" --tls-private-key-file "$STATE/pki/apiserver.key" \
    --kubelet-client-certificate "$STATE/pki/admin.crt" --kubelet-client-key "$STATE/pki/admin.key" \
    --kubelet-preferred-address-types InternalIP \
    --service-account-issuer https://kubernetes.default.svc.cluster.local \
    --service-account-key-file "$STATE/pki/service-accounts.key" \
    --service-account-signing-key-file "$STATE/pki/service-accounts.key" \
    --requestheader-client-ca-file "$STATE/pki/ca.crt" --requestheader-allowed-names front-proxy \
    --requestheader-username-headers X-Remote-User --requestheader-group-headers X-Remote-Group \
    --requestheader-extra-headers-prefix X-Remote-Extra- \
    --proxy-client-cert-file "$STATE/pki/front-proxy.crt" --proxy-client-key-file "$STATE/pki/front-proxy.key" \
    --enable-aggregator-routing --v 1
  await 60 "the API server is not ready" kubectl get --raw /readyz
  # The autoscaler's pauses are shortened: tests and demonstrations wait for it.
  start kube-controller-manager "$PROGRAMS_kube_controller_manager" --kubeconfig "$KUBECONFIG_FILE" \
    --bind-address 127.0.0.1 --leader-elect=false --use-service-account-credentials \
    --flex-volume-plugin-dir "$STATE/kubelet/volume-plugins" \
    --allocate-node-cidrs --cluster-cidr "$POD_RANGE" --service-cluster-ip-range "$SERVICE_RANGE" \
    --root-ca-file "$STATE/pki/ca.crt" --service-account-private-key-file "$STATE/pki/service-accounts.key" \
    --cluster-signing-cert-file "$STATE/pki/ca.crt" --cluster-signing-key-file "$STATE/pki/ca.key" \
    --horizontal-pod-autoscaler-sync-period 5s --horizontal-pod-autoscaler-initial-readiness-delay 5s \
    --horizontal-pod-autoscaler-cpu-initialization-period 5s \
    --horizontal-pod-autoscaler-downscale-stabilization "${MLPIPELINE_DOWNSCALE:-60s}"
  start kube-scheduler "$PROGRAMS_kube_scheduler" --kubeconfig "$KUBECONFIG_FILE" \
    --bind-address 127.0.0.1 --leader-elect=false
}

node() {
  start containerd containerd --config "$STATE/config/containerd.toml"
  await 30 "containerd does not answer" ctr --address "$CONTAINERD_SOCKET" version
  base_images
  start kubelet "$PROGRAMS_kubelet" --config "$STATE/config/kubelet.yaml" --kubeconfig "$STATE/kubelet.kubeconfig" \
    --root-dir "$STATE/kubelet" --cert-dir "$STATE/pki/kubelet" --hostname-override "$NODE" --node-ip "$NODE_ADDRESS"
  start kube-proxy "$PROGRAMS_kube_proxy" --config "$STATE/config/kube-proxy.yaml" --hostname-override "$NODE"
}

addons() {
  for manifest in "$cluster"/manifests/*.yaml; do
    filled "$manifest" | kubectl apply --server-side --force-conflicts -f - >/dev/null
  done
  start coredns "$PROGRAMS_coredns" -conf "$STATE/config/Corefile"
  start local-path-provisioner "$PROGRAMS_local_path_provisioner" start --kubeconfig "$KUBECONFIG_FILE" \
    --namespace local-path-storage --helper-image docker.io/library/busybox:1.35 \
    --configmap-name local-path-config --service-account-name local-path-provisioner-service-account
  start metrics-server "$PROGRAMS_metrics_server" --kubeconfig "$KUBECONFIG_FILE" \
    --authentication-kubeconfig "$KUBECONFIG_FILE" --authorization-kubeconfig "$KUBECONFIG_FILE" \
    --bind-address "$NODE_ADDRESS" --secure-port 4443 --cert-dir "$STATE/pki/metrics-server" \
    --metric-resolution 15s --kubelet-request-timeout 5s --kubelet-insecure-tls \
    --kubelet-preferred-address-types InternalIP
  start traefik env "KUBECONFIG=$KUBECONFIG_FILE" "$PROGRAMS_traefik" --configFile "$STATE/config/traefik.yaml"
}

process_groups
namespaces
certificates
for file in containerd.toml kubelet.yaml kube-proxy.yaml Corefile traefik.yaml; do filled "$cluster/config/$file" >"$STATE/config/$file"; done
filled "$cluster/config/cni.conflist" >"$STATE/config/cni/10-mlpipeline.conflist"
control_plane
node
addons
await 60 "the node is not ready" kubectl wait --for=condition=Ready "node/$NODE" --timeout=1s
# A namespace does not go while any API of the cluster cannot be asked.
await 60 "the API of metrics-server is not available" kubectl wait --for=condition=Available apiservice/v1beta1.metrics.k8s.io --timeout=1s
await 30 "the default service account is not there" kubectl get serviceaccount default
say "the cluster is up; NodePorts answer at $NODE_ADDRESS, Ingresses at its ports 80 and 443; make cluster-down removes it; to use it:"
printf 'export KUBECONFIG=%s PATH=%q:$PATH\n' "$KUBECONFIG_FILE" "$(dirname "$PROGRAMS_kubectl")"
