//! The worker's process: argv in, exit code out.

use clap::Parser;
use mlpipeline_worker::args::Args;

/// Batches of a table come and go on every core, and the C library's allocator keeps what one core freed from the others.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let args = Args::parse();
    std::process::exit(mlpipeline_worker::run::run(args).code());
}
