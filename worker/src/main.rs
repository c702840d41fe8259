//! The worker's process: argv in, exit code out.

use std::io::Write;

use mlpipeline_crds::ExitCode;
use mlpipeline_worker::args::Args;
use mlpipeline_worker::run::{STACK_BYTES, no_thread, run};

/// Batches of a table come and go on every core, and the C library's allocator keeps what one core freed from the others.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let args = Args::parse_or_exit();
    // The first thread's stack is as the system gives it, and a query's plan is worked on by functions that call themselves.
    let thread = std::thread::Builder::new().name("work".to_owned()).stack_size(STACK_BYTES);
    match thread.spawn(|| run(args).code()).map(std::thread::JoinHandle::join) {
        // A panic has said what it was.
        Ok(code) => std::process::exit(code.unwrap_or(ExitCode::Internal.code())),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {}", no_thread(&error));
            std::process::exit(ExitCode::Internal.code());
        }
    }
}
