#!/usr/bin/env bash
# The crash course on this machine, from a fresh clone to predictions: `make demo`.
#
# Needs the Rust toolchain and a C compiler. Works in a temporary folder, which it removes, and leaves no process behind.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/mlpipeline/target}
export PATH="$CARGO_TARGET_DIR/debug:$PATH"
sample=$PWD/deploy/samples/crash-course
work=$(mktemp -d "${TMPDIR:-/tmp}/mlpipeline-demo.XXXXXX")
processes=()

finish() {
  for process in ${processes[@]+"${processes[@]}"}; do
    kill "$process" 2>/dev/null && wait "$process" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

bold='' plain=''
if [ -t 1 ]; then bold=$'\e[1m' plain=$'\e[0m'; fi

# A heading, with what is about to be shown.
part() {
  printf '\n%s%s%s\n' "$bold" "$1" "$plain"
  [ $# -lt 2 ] || printf '%s\n' "${@:2}"
}

# Shows a command, and runs it.
run() {
  printf '\n%s$ %s%s\n' "$bold" "$*" "$plain"
  "$@"
}

fail() {
  printf '\nthe demo failed: %s\n' "$*" >&2
  exit 1
}

# ends_with CODE COMMAND…: runs a command that must end with this code.
ends_with() {
  local code=0
  run "${@:2}" || code=$?
  [ "$code" = "$1" ] || fail "\"${*:2}\" ended with $code instead of $1"
}

for program in cargo cc; do
  command -v "$program" >/dev/null || fail "$program is missing: install Rust from https://rustup.rs, and a C compiler" \
    "(on Debian and Ubuntu: apt-get install gcc)"
done

part "1. Build" "The first build takes some minutes; its outputs stay in $CARGO_TARGET_DIR."
run cargo build --workspace --bins --locked
start=$SECONDS

part "2. One file says what should be true" \
  "Fetch the Iris data and check them, train a classifier, serve it if it is good enough, score new rows."
cp "$sample/pipeline.yaml" "$work/"
cd "$work"
ends_with 0 kubectl-mlpipeline validate pipeline.yaml
ends_with 3 kubectl-mlpipeline plan pipeline.yaml --exit-code

part "3. Run it here, as processes, with the data from a web server"
mkfifo server
loopback serve "$sample/data" >server &
processes+=($!)
read -r url <server
printf 'iris.csv is at %s/iris.csv; a cluster has it at http://iris-data/iris.csv\n' "$url"
here=(--resolve "iris-data=${url#http://}")
ends_with 0 kubectl-mlpipeline local pipeline.yaml --once "${here[@]}"

part "4. Look at the scores of the batch"
scores=$(find .mlpipeline/volume/ml-course/iris/batch -name data.csv)
[ -f "$scores" ] || fail "there are no scores"
run cat "$scores"

part "5. Serve the model, and ask it"
mkfifo output
kubectl-mlpipeline local pipeline.yaml "${here[@]}" >output 2>&1 &
serving=$!
processes+=("$serving")
# Kept open: a server whose output nobody reads any more may end.
exec 3<output
api=
while IFS= read -r line <&3; do
  printf '%s\n' "$line"
  case $line in
    'api answers at '*) api=${line#api answers at } ;;
    'Ctrl-C stops everything.') break ;;
  esac
done
[ -n "$api" ] || fail "nothing is served"
run loopback request "$api/health"
flower='{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}'
run loopback request "$api/predict" "$flower" | tee answer
grep -q '"species_index":0,"species_name":"setosa"' answer || fail "the flower is a setosa"
kill "$serving"
wait "$serving" || true

part "6. Run it again: nothing is left to do"
ends_with 0 kubectl-mlpipeline plan pipeline.yaml --exit-code
ends_with 0 kubectl-mlpipeline local pipeline.yaml --once "${here[@]}"

part "7. Edit one field: what depends on it is done again, and nothing else"
sed -i.before 's/{maxIterations: 200}/{maxIterations: 200, alpha: 0.1}/' pipeline.yaml
run diff pipeline.yaml.before pipeline.yaml && fail "the field was not found"
ends_with 3 kubectl-mlpipeline plan pipeline.yaml --exit-code
ends_with 0 kubectl-mlpipeline local pipeline.yaml --once "${here[@]}"

part "That took $((SECONDS - start)) s after the build. Try next:" \
  '  export PATH="$(make -s path):$PATH"        the programs of this demo' \
  '  docs/tutorial/crash-course.md              the same by hand, and how it breaks' \
  '  docs/how-to/use-your-own-csv.md            your data' \
  '  docs/README.md                             everything else'
