# Starting and finding the processes of the cluster. Sourced, not run.

# Where tests/tools/build.sh has put each program, as PROGRAMS_kube_apiserver and so on.
find_programs() {
  local name path
  while read -r name path; do
    [ -x "${KUBEBUILDER_ASSETS:-}/$name" ] && path=$KUBEBUILDER_ASSETS/$name
    declare -g "PROGRAMS_${name//-/_}=$path"
  done < <("$cluster/../tools/build.sh" --where)
}

# Starts process $1, the rest being its command, in the cluster's network, unless it is running.
start() {
  local name=$1
  shift
  alive "$name" && return
  # The folder of the state is among the arguments or the environment of each, by which `alive` knows them.
  (
    cd "$STATE/run"
    # What containerd unpacks is for pods of any user.
    umask 022
    exec nsenter "--net=/run/netns/$NETNS" -- setsid env "MLPIPELINE_CLUSTER_PROCESS=$name" "$@" \
      >>"$STATE/logs/$name.log" 2>&1 </dev/null
  ) &
  printf '%s\n' $! >"$STATE/pids/$name"
}

# Stops process $1: politely, and after three seconds for good.
stop() {
  local name=$1 pid
  alive "$name" || { rm -f "$STATE/pids/$name"; return 0; }
  pid=$(cat "$STATE/pids/$name")
  kill -TERM "$pid" 2>/dev/null || true
  for _ in $(seq 30); do
    alive "$name" || break
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
  rm -f "$STATE/pids/$name"
}
