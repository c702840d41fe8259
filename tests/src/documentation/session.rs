//! A session that types a page's commands, in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::running::{Running, Waited};
use super::{Block, difference};

/// How long a command may take, or a background command until it has printed what the page says.
const TIMEOUT: Duration = Duration::from_secs(120);

/// One reader at a terminal.
#[derive(Debug)]
pub struct Session {
    folder: PathBuf,
    path: String,
    background: Vec<Running>,
}

impl Session {
    /// A session in a folder, with the programs of another folder before those of the machine.
    #[must_use]
    pub fn new(folder: &Path, programs: &Path) -> Self {
        let machine = std::env::var("PATH").unwrap_or_default();
        Self {
            folder: folder.to_owned(),
            path: format!("{}:{machine}", programs.display()),
            background: Vec::new(),
        }
    }

    /// Does what a block asks of its reader.
    ///
    /// # Errors
    /// Says which command failed, or printed something else than the page says.
    pub fn follow(&mut self, block: &Block) -> Result<(), String> {
        if let Some(title) = block.title() {
            return fs::write(self.working_folder().join(title), &block.text)
                .map_err(|error| error.to_string());
        }
        if block.language != "console" {
            return Ok(());
        }
        for (command, expected) in commands(&block.text) {
            let done = if block.is_background() {
                self.start(&command, &expected)
            } else {
                self.run(&command, &expected)
            };
            done.map_err(|problem| format!("line {}: $ {command}\n{problem}", block.line))?;
        }
        Ok(())
    }

    /// Where the session's `cd` commands have led.
    fn working_folder(&self) -> PathBuf {
        fs::read_to_string(self.folder.join(".working-folder"))
            .map(|path| PathBuf::from(path.trim_end()))
            .unwrap_or_else(|_| self.folder.clone())
    }

    /// A shell that runs a command.
    fn shell(&self, script: &str) -> Result<Running, String> {
        let mut command = Command::new("bash");
        command
            .args(["-euc", script])
            .current_dir(self.working_folder())
            .env_clear()
            .env("PATH", &self.path)
            .env("HOME", &self.folder)
            .env("LC_ALL", "C.UTF-8")
            .env("SESSION", &self.folder);
        Running::start(&mut command).map_err(|error| format!("bash does not start: {error}"))
    }

    fn run(&self, command: &str, expected: &str) -> Result<(), String> {
        let shell = self.shell(&format!("{command}\npwd >\"$SESSION/.working-folder\""))?;
        let (printed, status) = shell.finish(TIMEOUT);
        match status {
            None => Err(format!("did not end within {TIMEOUT:?}:\n{printed}")),
            Some(status) if !status.success() => Err(format!("ended with {status}:\n{printed}")),
            Some(_) => difference(expected, &printed).map_or(Ok(()), Err),
        }
    }

    fn start(&mut self, command: &str, expected: &str) -> Result<(), String> {
        let mut shell = self.shell(&format!("exec {command}"))?;
        let outcome = match shell.wait_until(TIMEOUT, |printed| difference(expected, printed).is_none()) {
            Waited::Came => Ok(()),
            Waited::Ended => Err(format!("ended, having printed:\n{}", shell.printed())),
            Waited::TooLong => Err(difference(expected, shell.printed()).unwrap_or_default()),
        };
        self.background.push(shell);
        outcome
    }
}

impl Drop for Session {
    /// Stops what runs in the background as Ctrl-C would, and waits for its end.
    fn drop(&mut self) {
        for command in self.background.drain(..) {
            command.signal("INT");
            command.finish(TIMEOUT);
        }
    }
}

/// The commands of a console block with what the page says that they print. A command whose line ends with \ continues in the
/// next line.
fn commands(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut goes_on = false;
    for line in text.lines() {
        match (line.strip_prefix("$ "), found.last_mut()) {
            (Some(command), _) => found.push((command.to_owned(), String::new())),
            (None, Some((command, _))) if goes_on => {
                command.push('\n');
                command.push_str(line);
            }
            (None, Some((_, expected))) => {
                expected.push_str(line);
                expected.push('\n');
            }
            (None, None) => {}
        }
        goes_on = (line.starts_with("$ ") || goes_on) && line.ends_with('\\');
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_may_go_on_and_is_followed_by_what_it_prints() {
        let found = commands("$ a \\\n  b\nout\n$ c\n");
        assert_eq!(found, [("a \\\n  b".to_owned(), "out\n".to_owned()), ("c".to_owned(), String::new())]);
    }
}
