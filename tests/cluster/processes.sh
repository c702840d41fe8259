# Starting, finding and stopping the processes of the cluster. Sourced, not run.

# Where tests/tools/build.sh has put each program, as PROGRAMS_kube_apiserver and so on.
find_programs() {
  local name path
  while read -r name path; do
    [ -x "${KUBEBUILDER_ASSETS:-}/$name" ] && path=$KUBEBUILDER_ASSETS/$name
    declare -g "PROGRAMS_${name//-/_}=$path"
  done < <("$cluster/../tools/build.sh" --where)
}

# Makes the cluster's groups of processes: in each hierarchy of version 1, or in the only one of version 2. The kubelet puts pods below
# them. The cluster's own programs, and what they start before it is in a pod, are in the group "programs".
process_groups() {
  local hierarchy group file
  for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/*; do
    [ -w "$hierarchy/cgroup.procs" ] || continue
    [ -e /sys/fs/cgroup/cgroup.controllers ] && [ "$hierarchy" != /sys/fs/cgroup ] && continue
    group=$hierarchy/mlpipeline-cluster
    mkdir -p "$group"
    # An empty set of processors admits no process; version 1 hands none down. (Of version 2 the root has no such file.)
    for file in cpuset.cpus cpuset.mems; do
      if [ -e "$hierarchy/$file" ] && ! grep -q . "$group/$file"; then cat "$hierarchy/$file" >"$group/$file"; fi
    done
  done
  mkdir -p "$(programs_group)"
}

# Of the hierarchies of version 1 that of numbers of processes, in which a group alone changes nothing.
programs_group() {
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    printf '%s\n' /sys/fs/cgroup/mlpipeline-cluster/programs
  else
    printf '%s\n' /sys/fs/cgroup/pids/mlpipeline-cluster/programs
  fi
}

# The numbers of all processes of the cluster: of its programs and of its pods. (0 is one that cannot be seen from here.)
processes() {
  find /sys/fs/cgroup/mlpipeline-cluster /sys/fs/cgroup/*/mlpipeline-cluster -name cgroup.procs -exec cat {} + 2>/dev/null |
    awk '$1 > 0' | sort -nu
}

# Kills all of them at once. What is being started meanwhile is found when it looks again.
kill_all() {
  local left
  for _ in $(seq 100); do
    mapfile -t left < <(processes)
    [ "${#left[@]}" -gt 0 ] || return 0
    kill -KILL "${left[@]}" 2>/dev/null || true
    sleep 0.1
  done
  fail "processes of the cluster do not end: ${left[*]}"
}

# Is process $1 of the cluster alive? A number that somebody else's process has by now does not count, nor does a process that
# has ended and was not waited for: it has no command line.
alive() {
  local pid
  pid=$(cat "$STATE/pids/$1" 2>/dev/null) || return 1
  { grep -q '/mlpipeline-cluster/programs$' "/proc/$pid/cgroup" && tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q .; } 2>/dev/null
}

# Runs process $1, the rest being its command, in the cluster's group.
launch() {
  local name=$1 file
  shift
  (
    printf '%s\n' "$BASHPID" >"$(programs_group)/cgroup.procs"
    # Files that the caller has open are not the process's: it would hold their locks.
    for file in "/proc/$BASHPID/fd"/*; do
      file=${file##*/}
      if [ "$file" -gt 2 ] && [ "$file" -ne 255 ]; then exec {file}>&-; fi
    done
    # What containerd unpacks is for pods of any user.
    umask 022
    exec setsid "$@" >>"$STATE/logs/$name.log" 2>&1 </dev/null
  ) &
  printf '%s\n' $! >"$STATE/pids/$name"
}

# Starts process $1, the rest being its command, on the node, unless it is running.
start() {
  local name=$1
  shift
  alive "$name" || launch "$name" nsenter --target "$node_process" --net --mount -- env --chdir="$STATE/run" "$@"
}
