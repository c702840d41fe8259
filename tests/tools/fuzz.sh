#!/usr/bin/env bash
# Has libFuzzer look for bytes that a reader cannot take: fuzz.sh SECONDS [TARGET…], so long for each target, all when none is named.
#
# What libFuzzer learns is kept in FUZZ_CORPUS (target/fuzz), so that the next run continues. A finding of a target of the worker's is written
# below worker/tests/data/hostile, where a test reads it from then on; any other one below the corpus, for a test to be written.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

seconds=${1:?"how many seconds for each target"}
shift
corpus=${FUZZ_CORPUS:-${CARGO_TARGET_DIR:-target}/fuzz}
tools=$PWD/tests/tools

# The whole workspace's features, as everywhere: else all dependencies are built once more.
program=$(RUSTC_WORKSPACE_WRAPPER=$tools/with-coverage.sh cargo build --workspace --bin fuzz --locked \
  --features "mlpipeline-tests/fuzz" --message-format json-render-diagnostics |
  python3 -c 'import json, sys
found = [message.get("executable") for message in map(json.loads, sys.stdin)]
print([path for path in found if path and path.endswith("/fuzz")][-1])')

export RUST_BACKTRACE=0
if [ "$#" -eq 0 ]; then
  mapfile -t targets < <("$program" 2>/dev/null)
  set -- "${targets[@]}"
fi

# A build does not depend on luck; a night does.
seed=
[ "${CI:-}" != true ] || [ "$seconds" -gt 30 ] || seed=-seed=1
failed=()
for target in "$@"; do
  mkdir -p "$corpus/$target" "$corpus/$target.good"
  log=$corpus/$target.log
  FUZZ_TARGET=$target FUZZ_SEEDS=$corpus/$target.good "$program" >"$log" 2>&1 || { cat "$log" >&2 && exit 1; }
  if FUZZ_TARGET=$target "$program" "$corpus/$target" "$corpus/$target.good" -max_total_time="$seconds" -timeout=30 \
    -rss_limit_mb=2048 -artifact_prefix="$corpus/$target-" ${seed:+"$seed"} >"$log" 2>&1; then
    printf '%-20s %s\n' "$target" "$(grep -a '^Done' "$log" | tail -1)"
    continue
  fi
  failed+=("$target")
  found=$corpus/findings/$target
  # A test of the worker reads what was found of its targets.
  ! grep -q "name: \"$target\"" worker/src/hostile_bytes/targets.rs || found=$PWD/worker/tests/data/hostile/$target
  mkdir -p "$found"
  for file in "$corpus/$target-"*; do
    [ -f "$file" ] || continue
    # Where the disk of a machine goes with it, the log is what stays.
    [ "$(wc -c <"$file")" -gt 10000 ] || printf '%s, in base64: %s\n' "${file##*/}" "$(base64 -w0 "$file")" >&2
    mv "$file" "$found/${file##*"$target-"}"
  done
  printf '%-20s found something (%s); the bytes are in %s\n' "$target" "$log" "$found" >&2
  grep -a -m 3 -A 1 'panicked at\|ERROR: libFuzzer' "$log" >&2 || tail -5 "$log" >&2
done
[ "${#failed[@]}" -eq 0 ]
