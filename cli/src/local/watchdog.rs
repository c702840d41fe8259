//! The watchdog of a container: if the process that started it is gone, even by `kill -9`, the container is removed.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// Runs `command`, a container tool with its arguments, until it ends, and gives its exit code. When standard input ends, or
/// the process receives a signal to stop, the container of this name is removed. When standard input ends, so is the file with its
/// variables: nobody else is left who would.
///
/// # Errors
/// When the tool cannot be started.
pub async fn watch_container(container: &str, variables: &Path, command: &[OsString]) -> io::Result<i32> {
    let (tool, arguments) = command.split_first().ok_or_else(|| io::Error::other("no command to run"))?;
    // One of this name that is left over would keep the new one from starting.
    remove(tool, container).await;
    let mut child = Command::new(tool).args(arguments).stdin(Stdio::null()).kill_on_drop(true).spawn()?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        status = child.wait() => return Ok(status?.code().unwrap_or(1)),
        () = starter_is_gone() => {
            std::fs::remove_file(variables).ok();
        }
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    remove(tool, container).await;
    Ok(child.wait().await?.code().unwrap_or(1))
}

/// Ends when the other end of standard input is closed, which the system does when its holder ends.
async fn starter_is_gone() {
    let (gone, noticed) = oneshot::channel();
    // Nothing else reads standard input, and a thread that waits for input does not keep the process from ending.
    std::thread::spawn(move || {
        io::copy(&mut io::stdin().lock(), &mut io::sink()).ok();
        gone.send(()).ok();
    });
    noticed.await.ok();
}

async fn remove(tool: &OsString, container: &str) {
    let mut command = Command::new(tool);
    command
        .args(["rm", "--force", container])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // Most often there is no such container, which the tools report as a failure.
    command.status().await.ok();
}
