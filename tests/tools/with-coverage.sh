#!/bin/sh
# Runs the compiler (RUSTC_WORKSPACE_WRAPPER) so that libFuzzer sees which edges and comparisons of our own crates its bytes reach. The flags
# are those that cargo-fuzz gives; they need no nightly compiler, since no sanitizer is among them.
compiler=$1
shift
exec "$compiler" "$@" -C passes=sancov-module -C llvm-args=-sanitizer-coverage-level=4 \
  -C llvm-args=-sanitizer-coverage-inline-8bit-counters -C llvm-args=-sanitizer-coverage-pc-table \
  -C llvm-args=-sanitizer-coverage-trace-compares
