# What the scripts of the one-node cluster agree on. Sourced, not run.
#
# All processes of the cluster are in the cgroup /mlpipeline-cluster, and see a network and a file system of their own: those of the
# process "node", which does nothing else (namespaces.sh). All files are under the folder $STATE. So nothing is left when the
# processes are killed and the folder is removed.

STATE=/var/lib/mlpipeline-cluster
# The two ends of the cable between this machine and the node; the range is kept for tests of networks (RFC 2544), so
# it does not collide with a network in use. The node has the first address: NodePorts answer there.
NODE=mlpipeline-node
NODE_ADDRESS=198.18.0.1
HOST_ADDRESS=198.18.0.2
PREFIX_LENGTH=30
API_SERVER="https://$NODE_ADDRESS:6443"
POD_RANGE=10.244.0.0/16
SERVICE_RANGE=10.96.0.0/16
API_SERVICE_ADDRESS=10.96.0.1
# Where CoreDNS listens: the node's own address, since it runs beside the kubelet and not in a pod.
DNS_ADDRESS=$NODE_ADDRESS
KUBECONFIG_FILE=$STATE/kubeconfig
CONTAINERD_SOCKET=$STATE/run/containerd.sock

cluster=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# Is the cluster that commands are for the one of `make cluster`? A KUBECONFIG names another one, unless it is this one's.
own_node() { [ "${KUBECONFIG:-$KUBECONFIG_FILE}" = "$KUBECONFIG_FILE" ]; }

# Runs script $0 with arguments $@ once no other script changes the cluster. The lock is on a folder that is there
# anyway, so that it leaves no file behind, and no process of the cluster inherits it.
one_at_a_time() {
  [ -n "${MLPIPELINE_CLUSTER_LOCKED:-}" ] || MLPIPELINE_CLUSTER_LOCKED=1 exec flock --close /var/lib "$0" "$@"
  unset MLPIPELINE_CLUSTER_LOCKED
}
