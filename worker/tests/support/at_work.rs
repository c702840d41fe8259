//! A long-running worker at work, and waiting for what it does.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Volume, worker};

/// The longest that anything here may take.
const TIMEOUT: Duration = Duration::from_secs(180);

pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < TIMEOUT, "waited too long for {what}");
        // A look every few milliseconds: spinning would take the processor from what is waited for.
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A worker at work; killed when dropped.
pub struct Worker(Child);

impl Worker {
    pub fn start(volume: &Volume, spec: &Value) -> Self {
        let storage = volume.path().display().to_string();
        let log = std::fs::File::create(volume.path().join("log")).expect("a log");
        let arguments =
            ["step", "--storage", &storage, "--report", "/dev/null", "--allow-address=127.0.0.0/8"];
        let quick = ["--fetch-attempts=2", "--fetch-backoff=1ms", "--log-format=json"];
        let mut command: Command = worker(&[arguments.as_slice(), &quick].concat());
        Self(command.arg(spec.to_string()).stderr(log).spawn().expect("the worker starts"))
    }

    pub fn kill(mut self) {
        self.0.kill().expect("killed");
        self.0.wait().expect("ended");
    }

    /// Asks it to stop.
    pub fn terminate(&self) {
        Command::new("kill").arg(self.0.id().to_string()).status().expect("kill runs");
    }

    /// Waits for its end; its exit code.
    pub fn ended(mut self) -> i32 {
        wait_until("the worker's end", || self.0.try_wait().expect("a child").is_some());
        self.0.wait().expect("ended").code().expect("an exit code")
    }

    pub fn stop(self) -> i32 {
        self.terminate();
        self.ended()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
