//! `watchdog`: what `local` starts in place of a container tool, so that no container outlives it.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use crate::local::watch_container;
use crate::show;

/// Exit code for a container tool that cannot be started, as the tools themselves have it.
const CANNOT_START: u8 = 125;

/// Runs a container under the watchdog, with the file of its variables; the exit code is that of its tool.
pub fn run(container: &str, variables: &Path, command: &[OsString]) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let code = runtime.and_then(|runtime| runtime.block_on(watch_container(container, variables, command)));
    match code {
        Ok(code) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        Err(error) => {
            show::error(&format!("the container tool cannot be started: {error}"));
            ExitCode::from(CANNOT_START)
        }
    }
}
