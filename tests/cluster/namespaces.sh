# The node's own view of network and file system. Sourced, not run.
#
# Programs of a node write to places of the machine that stand in their source and cannot be configured: containerd to
# /run/containerd, mount to /run/mount, network plugins to /var/lib/cni, the kubelet to /var/log/containers and to tunables of the
# kernel that hold for the whole machine. Other folders and files are mounted over those places; only the node sees them.

# Folders; an empty one below $STATE is mounted over each.
hidden_folders=(/run/mount /etc/cni /run/containerd /var/lib/cni /var/lib/containers /var/lib/kubelet /var/log/containers /var/log/pods)
# Tunables that the kubelet sets; a copy is mounted over each, and receives what the kubelet writes.
hidden_tunables=(/proc/sys/kernel/{panic,panic_on_oops,keys/root_maxbytes,keys/root_maxkeys} /proc/sys/vm/{overcommit_memory,panic_on_oom})

# Makes the namespaces, unless they are there.
namespaces() {
  # The default route comes last: without it an earlier start stopped half-way.
  if find_node && inside ip route show default 2>/dev/null | grep -q .; then return; fi
  # What is left of it is in namespaces that cannot be found any more.
  kill_all
  ip link delete mlp-host 2>/dev/null || true
  if ip -o address | grep -q ' 198\.18\.0\.'; then
    fail "addresses of 198.18.0.0/$PREFIX_LENGTH are in use on this machine: the cluster's node needs them"
  fi
  launch node unshare --net --mount --propagation slave -- sleep infinity
  await 10 "the node's namespaces are not there" find_node
  hide
  network
}

# Finds the process whose namespaces they are; before anything below is used.
find_node() {
  alive node || return 1
  node_process=$(cat "$STATE/pids/node")
  # Before that it may not be in them yet.
  [ "$(tr '\0' ' ' <"/proc/$node_process/cmdline")" = "sleep infinity " ]
}

# Runs a command on the node.
inside() { nsenter --target "$node_process" --net --mount -- "$@"; }

# Runs a command with the node's view of the file system and the machine's of the network.
beside() { nsenter --target "$node_process" --mount -- "$@"; }

hide() {
  local place
  rm -rf "$STATE/private"
  for place in "${hidden_folders[@]}"; do
    # What a folder has to lie over something: down.sh removes it again.
    if [ ! -d "$place" ]; then
      printf '%s\n' "$place" >>"$STATE/places"
      mkdir -m 755 -p "$place"
    fi
    mkdir -p "$STATE/private$place"
    inside mount --bind "$STATE/private$place" "$place"
  done
  for place in "${hidden_tunables[@]}"; do
    [ -e "$place" ] || continue
    mkdir -p "$STATE/private${place%/*}"
    cat "$place" >"$STATE/private$place"
    inside mount --bind "$STATE/private$place" "$place"
  done
}

network() {
  ip link add mlp-host type veth peer name mlp-node netns "$node_process"
  ip address add "$HOST_ADDRESS/$PREFIX_LENGTH" dev mlp-host
  ip link set mlp-host up
  inside ip link set lo up
  inside ip address add "$NODE_ADDRESS/$PREFIX_LENGTH" dev mlp-node
  inside ip link set mlp-node up
  inside sysctl -qw net.ipv4.ip_forward=1
  # There is no way out; a default route makes the node's address the one that the kubelet and kube-proxy find.
  inside ip route add default dev mlp-node
}
