# Images of the cluster's node, made from programs of this machine: nothing is pulled from anywhere. Sourced, not run.

ctr_images() { ctr --address "$CONTAINERD_SOCKET" --namespace k8s.io images "$@"; }

# Is image $1 on the node?
has_image() { ctr_images list --quiet | grep -qxF "$1"; }

# Makes image $1 of the folder $2, which becomes its root; the rest are options of `buildah config`.
make_image() {
  local name=$1 folder=$2 archive=$STATE/images/made.tar container
  shift 2
  container=$(buildah_ from scratch)
  buildah_ copy --quiet "$container" "$folder" / >/dev/null
  buildah_ config "$@" "$container"
  rm -f "$archive"
  buildah_ commit --quiet --rm "$container" "docker-archive:$archive:$name" >/dev/null
  ctr_images import "$archive" >/dev/null
  rm -f "$archive"
}

# A store of its own, of plain folders: no kernel driver is needed, and it goes with the cluster. Inside, since buildah keeps notes in
# /var/lib/containers too.
buildah_() { inside buildah --root "$STATE/images/store" --runroot "$STATE/images/run" --storage-driver vfs "$@"; }

# What each pod needs (pause), and what volumes and samples need (busybox, of the version that Debian packages).
base_images() {
  local root
  if ! has_image localhost/pause:1; then
    root=$(busybox_root)
    make_image localhost/pause:1 "$root" --entrypoint '["/bin/busybox", "sleep", "2147483647"]'
  fi
  if ! has_image docker.io/library/busybox:1.35; then
    root=$(busybox_root)
    make_image docker.io/library/busybox:1.35 "$root" --cmd sh --env PATH=/bin
  fi
}

# A folder with busybox under each of its names, whole or not at all.
busybox_root() {
  local root=$STATE/images/busybox part=$STATE/images/busybox.part name
  if [ ! -e "$root" ]; then
    rm -rf "$part"
    mkdir -p "$part"/{bin,etc,tmp,root}
    chmod 755 "$part" "$part"/{bin,etc,root}
    chmod 1777 "$part/tmp"
    install -m 755 "$(command -v busybox)" "$part/bin/busybox"
    for name in $(busybox --list); do
      [ "$name" = busybox ] || ln -s busybox "$part/bin/$name"
    done
    printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$part/etc/passwd"
    printf 'root:x:0:\nnobody:x:65534:\n' >"$part/etc/group"
    chmod 644 "$part/etc"/*
    mv "$part" "$root"
  fi
  printf '%s\n' "$root"
}

# The servers of the ETL scenario, of programs that tests use anyway: localhost/postgres:test and localhost/versitygw:test.
server_images() {
  local root folder library
  find_node || fail "the node is not there: make cluster brings it up"
  if ! has_image localhost/versitygw:test; then
    "$cluster/../tools/build.sh" versitygw
    find_programs
    root=$STATE/images/versitygw
    rm -rf "$root"
    install -D -m 755 "$PROGRAMS_versitygw" "$root/bin/versitygw"
    make_image localhost/versitygw:test "$root" --entrypoint '["/bin/versitygw"]'
  fi
  if ! has_image localhost/postgres:test; then
    folder=$(ls -d /usr/lib/postgresql/* 2>/dev/null | sort -V | tail -n 1)
    [ -x "$folder/bin/initdb" ] || fail "no PostgreSQL in /usr/lib/postgresql, of which the database's image is made: install postgresql"
    root=$STATE/images/postgres
    rm -rf "$root"
    cp -a "$(busybox_root)" "$root"
    mkdir -p "$root$folder/bin" "$root/usr/share/postgresql" "$root/usr/share/zoneinfo/Etc"
    cp "$folder"/bin/{initdb,postgres,psql} "$root$folder/bin"
    cp -r "$folder/lib" "$root$folder/lib"
    rm -rf "$root$folder/lib"/{bitcode,llvmjit*}
    cp -rL "/usr/share/postgresql/${folder##*/}" "$root/usr/share/postgresql/"
    cp /usr/share/zoneinfo/UTC "$root/usr/share/zoneinfo/UTC"
    cp /usr/share/zoneinfo/UTC "$root/usr/share/zoneinfo/Etc/UTC"
    ldd "$folder"/bin/{initdb,postgres,psql} "$folder"/lib/{libpqwalreceiver,dict_snowball}.so |
      grep -o '/[^ ]*\.so[^ :]*' | sort -u |
      while read -r library; do [ -e "$root$library" ] || install -D -m 755 "$library" "$root$library"; done
    ln -sf "$folder"/bin/{initdb,postgres,psql} "$root/bin/"
    printf 'nonroot:x:65532:65532:nonroot:/tmp:/bin/sh\n' >>"$root/etc/passwd"
    chmod -R go+rX "$root/usr" "$root/lib" "$root/lib64" 2>/dev/null || true
    make_image localhost/postgres:test "$root" --env PATH=/bin
  fi
}
