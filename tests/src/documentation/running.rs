//! A command at work, and what it has printed so far.

use std::io::{self, BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// A command with its two outputs as one.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    lines: Receiver<String>,
    printed: String,
}

/// How long a wait took: until the end, or too long.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Waited {
    /// What was waited for has come.
    Came,
    /// The command has ended.
    Ended,
    /// Neither happened in time.
    TooLong,
}

impl Running {
    /// Starts a command in a process group of its own.
    pub(super) fn start(command: &mut Command) -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer).process_group(0);
        let child = command.spawn()?;
        // The command holds the pipe's other ends until it is dropped, and there would never be an end.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
                if send.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, lines, printed: String::new() })
    }

    /// What was printed so far.
    pub(super) fn printed(&self) -> &str {
        &self.printed
    }

    /// Waits until what was printed is as wanted, or the outputs are closed.
    pub(super) fn wait_until(&mut self, timeout: Duration, wanted: impl Fn(&str) -> bool) -> Waited {
        let deadline = Instant::now() + timeout;
        while !wanted(&self.printed) {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.printed.push_str(&line);
                    self.printed.push('\n');
                }
                Err(RecvTimeoutError::Disconnected) => return Waited::Ended,
                Err(RecvTimeoutError::Timeout) => return Waited::TooLong,
            }
        }
        Waited::Came
    }

    /// Waits for the end; kills what does not end in time, and then there is no status.
    pub(super) fn finish(mut self, timeout: Duration) -> (String, Option<ExitStatus>) {
        let in_time = self.wait_until(timeout, |_| false) == Waited::Ended;
        if !in_time {
            self.signal("KILL");
        }
        let status = self.child.wait().ok().filter(|_| in_time);
        (self.printed, status)
    }

    /// Sends a signal to the command and all that it started.
    pub(super) fn signal(&self, name: &str) {
        // It may have ended meanwhile.
        let _ =
            Command::new("kill").args([&format!("-{name}"), "--", &format!("-{}", self.child.id())]).output();
    }
}
