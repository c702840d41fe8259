//! The worker's process: argv in, exit code out.

use clap::Parser;
use mlpipeline_worker::args::Args;

/// Columns are allocated and freed by the batch, on every core: the C library's allocator keeps much of that and waits on locks.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let args = Args::parse();
    std::process::exit(mlpipeline_worker::run::run(args).code());
}
