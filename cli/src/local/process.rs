//! One child process: started in a group of its own, under a watchdog, stopped by a request and then by force.
//!
//! Must not know what the process is for.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use super::environment::Environment;
use super::variables_file::VariablesFile;
use crate::state::own_file;

/// How long a process may take to end after it was asked to.
pub const GRACE: Duration = Duration::from_secs(10);

/// Variables of this process that its children get: what finds programs, folders, proxies and certificates. All others stay
/// behind, as they do when a pod starts.
const INHERITED: [&str; 20] = [
    "PATH",
    "HOME",
    "USER",
    "TMPDIR",
    "LANG",
    "LC_ALL",
    "XDG_RUNTIME_DIR",
    "DOCKER_HOST",
    "CONTAINER_HOST",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "RUST_LOG",
    "RUST_BACKTRACE",
    "LLVM_PROFILE_FILE",
];

/// What to start.
#[derive(Clone, Debug)]
pub struct CommandLine {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Its variables, beside the few that it inherits.
    pub environment: Environment,
    /// The file that its arguments name, with what a container is to have as variables. It is there as long as this is, or a process of it.
    pub(super) variables: Option<Arc<VariablesFile>>,
}

/// A running child process. Dropped, it is killed.
#[derive(Debug)]
pub struct Process {
    child: Child,
    group: Option<u32>,
    /// Closed when this process ends, however that happens: the child's watchdog waits for that.
    _stdin: Option<ChildStdin>,
    _variables: Option<Arc<VariablesFile>>,
}

impl Process {
    /// Starts a process, which prints to the end of a log file.
    ///
    /// # Errors
    /// When the log cannot be opened or the program cannot be started, with the path of it.
    pub fn start(command: &CommandLine, log: &Path) -> io::Result<Self> {
        let file = own_file::open_to_append(log);
        let file = file
            .map_err(|error| io::Error::other(format!("cannot write the log {}: {error}", log.display())))?;
        let inherited = INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        let mut child = Command::new(&command.program)
            .args(&command.arguments)
            .env_clear()
            .envs(inherited)
            .envs(command.environment.iter().map(|(name, value)| (name, value.reveal())))
            .stdin(Stdio::piped())
            .stdout(file.try_clone()?)
            .stderr(file)
            // Ctrl-C goes to the terminal's group: children of another group are stopped by us, in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                io::Error::other(format!("cannot start {}: {error}", command.program.display()))
            })?;
        Ok(Self {
            group: child.id(),
            _stdin: child.stdin.take(),
            _variables: command.variables.clone(),
            child,
        })
    }

    /// Waits until the process ends.
    ///
    /// # Errors
    /// When the system cannot wait for it.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Asks the process and all that it started to end, and kills them after the grace period.
    pub async fn stop(mut self, grace: Duration) {
        self.signal("TERM").await;
        if timeout(grace, self.child.wait()).await.is_err() {
            self.signal("KILL").await;
            self.child.kill().await.ok();
        }
    }

    /// Signals the process group. The standard library has no call for it and this workspace no unsafe code, so POSIX's own
    /// program does it; the group exists as long as its leader has not been waited for.
    async fn signal(&mut self, signal: &str) {
        let Some(group) = self.group.filter(|_| matches!(self.child.try_wait(), Ok(None))) else { return };
        let target = format!("-{group}");
        let sent =
            Command::new("kill").args(["-s", signal, "--", &target]).stderr(Stdio::null()).status().await;
        if !sent.is_ok_and(|status| status.success()) {
            self.child.start_kill().ok();
        }
    }
}

/// Writes a line of our own to a log.
pub fn note(log: &Path, line: &str) {
    // A log that cannot be written fails the start of the next process, with a message.
    if let Ok(mut file) = own_file::open_to_append(log) {
        writeln!(file, "--- {line}").ok();
    }
}
