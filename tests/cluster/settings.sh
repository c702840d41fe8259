# What the scripts of the one-node cluster agree on. Sourced, not run.
#
# Everything of the cluster is either in the network namespace $NETNS, in the cgroup /mlpipeline-cluster, or under the folder
# $STATE: removing the three removes it all.

# The folder of the cluster's state: certificates, logs, images, volumes. MLPIPELINE_CLUSTER names another.
STATE=${MLPIPELINE_CLUSTER:-/var/lib/mlpipeline-cluster}
NETNS=mlpipeline
# The two ends of the cable between this machine and the namespace; the range is kept for tests of networks (RFC 2544), so
# it collides with nobody's. The node has the first address: NodePorts answer there.
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

# Runs a command in the cluster's network. Not by `ip netns exec`, which mounts a /sys without cgroups.
inside() { nsenter "--net=/run/netns/$NETNS" -- "$@"; }

# Is process $1 of the cluster alive? A number that somebody else's process has by now does not count.
alive() {
  local pid
  pid=$(cat "$STATE/pids/$1" 2>/dev/null) || return 1
  [ -e "/proc/$pid" ] && tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF "$STATE"
}
