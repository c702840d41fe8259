# What the cluster could change on this machine, as lines of text. Sourced, not run.
#
# It must be the same before the cluster comes up and after it went down. What other programs do here all the time is left out.
traces() {
  {
    sysctl --all 2>/dev/null | grep -E '^(kernel\.(panic|keys\.)|vm\.(overcommit|panic)|net\.ipv4\.(ip_forward|conf\.(all|default)\.))' || true
    find /run /opt /srv /usr/libexec /var/{cache,lib,log,spool,tmp} -mindepth 1 -maxdepth 1 -printf 'path %p\n'
    # Go notes its telemetry's mode at its first start.
    find /etc /opt ~/.config ~/.local -mindepth 1 -maxdepth 2 ! -path '*/.config/go*' -printf 'path %p\n' 2>/dev/null || true
    # Changed by one instance, used by the next: so not only names.
    find /run/containerd /run/containers /run/mount /run/netns /var/lib/{cni,containers,kubelet} /var/log/{containers,pods} /etc/cni /opt/cni \
      /usr/libexec/kubernetes -printf 'path %p %y %s %T+\n' 2>/dev/null || true
    find /sys/fs/cgroup -maxdepth 2 -type d \( -name 'mlpipeline*' -o -name 'kube*' -o -name 'k8s*' \)
    awk '{ print "mount", $5 }' /proc/self/mountinfo
    ip -brief link | awk '{ sub(/@.*/, "", $1); print "link", $1 }'
    ip -brief address | awk '{ sub(/@.*/, "", $1); $2 = ""; print "address", $0 }'
    ip route | sed 's/^/route /'
    # Without the counts of packets.
    nft --stateless list ruleset | sed 's/^/firewall /'
    iptables-save 2>/dev/null | sed -e '/^#/d' -e 's/ \[[0-9:]*\]$//' -e 's/^/firewall /'
  } | sort
}
