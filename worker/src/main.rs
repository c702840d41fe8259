//! The worker's process: argv in, exit code out.

use clap::Parser;
use mlpipeline_worker::args::Args;

fn main() {
    let args = Args::parse();
    std::process::exit(mlpipeline_worker::run::run(args).code());
}
