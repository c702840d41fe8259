//! A program that cannot outlive the test process, however that ends.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Starts the program and waits for it, while a second shell waits for the pipe on standard input, whose other
/// end only the test process holds. When that process ends, even by SIGKILL, the kernel closes the pipe, and the program is
/// killed; nothing that it holds is worth a slower end. `$1` is a folder to remove then, or empty.
///
/// A Ctrl-C goes to the whole process group: the shells ignore it, so that they are there when the pipe closes.
const SUPERVISOR: &str = r#"
trap '' INT TERM HUP
scratch=$1; shift
exec 3<&0 </dev/null
"$@" 3<&- &
program=$!
(read -r _ <&3; kill -KILL "$program") 2>/dev/null &
watchdog=$!
wait "$program"; code=$?
kill -KILL "$watchdog" 2>/dev/null
[ -z "$scratch" ] || rm -rf "$scratch"
exit "$code"
"#;

/// A running program. Dropping it kills the program and waits for its end.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    supervisor: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `program` with `arguments`; what it prints goes to `NAME.log` in `logs`. `scratch` is removed at its end.
    ///
    /// # Errors
    /// When the log cannot be made or no shell started.
    pub(crate) fn start(
        program: &Path,
        arguments: &[String],
        logs: &Path,
        scratch: Option<&Path>,
    ) -> Result<Self, String> {
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let log = logs.join(format!("{name}.log"));
        let output = File::create(&log).and_then(|file| Ok((file.try_clone()?, file)));
        let (stdout, stderr) =
            output.map_err(|error| format!("{} cannot be made: {error}", log.display()))?;
        let mut command = Command::new("sh");
        command.args(["-c", SUPERVISOR, "supervisor"]).arg(scratch.unwrap_or(Path::new("")));
        command.arg(program).args(arguments).stdin(Stdio::piped()).stdout(stdout).stderr(stderr);
        let supervisor = command.spawn().map_err(|error| format!("no shell for {name}: {error}"))?;
        Ok(Self { name, supervisor, log })
    }

    /// An error with the end of the log when the program has ended.
    pub(crate) fn check(&mut self) -> Result<(), String> {
        match self.supervisor.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(format!(
                "{} has ended ({status}); its log, {}, ends with:\n{}",
                self.name,
                self.log.display(),
                self.last_lines()
            )),
            Err(error) => Err(format!("{} cannot be watched: {error}", self.name)),
        }
    }

    fn last_lines(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        // The supervisor ends by itself when the program is gone; that it cannot be waited for would change nothing.
        let _ = self.supervisor.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::wait_until;

    const LONG: Duration = Duration::from_secs(30);

    fn shell(script: &str, folder: &Path, scratch: Option<&Path>) -> Process {
        Process::start(Path::new("/bin/sh"), &["-c".into(), script.into()], folder, scratch).unwrap()
    }

    /// Waits until a file has a line in it, and returns that.
    async fn line_of(file: &Path) -> String {
        wait_until("a line in the file", LONG, async || {
            let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
            text.strip_suffix('\n').map(str::to_owned).ok_or_else(|| format!("{text:?}"))
        })
        .await
    }

    fn is_running(pid: &str) -> bool {
        Command::new("kill").args(["-0", pid]).stderr(Stdio::null()).status().unwrap().success()
    }

    #[tokio::test]
    async fn dropping_a_process_ends_its_program_and_removes_its_scratch_folder() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = folder.path().join("scratch");
        std::fs::create_dir(&scratch).unwrap();
        let process = shell("echo $$; exec sleep 1000", folder.path(), Some(&scratch));
        let pid = line_of(&folder.path().join("sh.log")).await;
        assert!(is_running(&pid));
        drop(process);
        assert!(!is_running(&pid));
        assert!(!scratch.exists());
    }

    #[tokio::test]
    async fn the_program_ends_when_the_process_that_holds_its_standard_input_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let mut holder = Command::new("sleep").arg("1000").stdout(Stdio::piped()).spawn().unwrap();
        let standard_input = holder.stdout.take().unwrap();
        let file = folder.path().join("pid");
        let mut supervisor = Command::new("sh")
            .args(["-c", SUPERVISOR, "supervisor", "", "sh", "-c", "echo $$ >\"$0\"; exec sleep 1000"])
            .arg(&file)
            .stdin(standard_input)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pid = line_of(&file).await;
        assert!(is_running(&pid));
        holder.kill().unwrap();
        holder.wait().unwrap();
        wait_until("the supervisor to end", LONG, async || match supervisor.try_wait() {
            Ok(Some(_)) => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
        assert!(!is_running(&pid));
    }

    #[tokio::test]
    async fn a_program_that_has_ended_is_reported_with_the_end_of_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = shell("echo no such flag; exit 3", folder.path(), None);
        let error = wait_until("the program to end", LONG, async || match process.check() {
            Ok(()) => Err("it runs".to_owned()),
            Err(error) => Ok(error),
        });
        let error = error.await;
        assert!(error.starts_with("sh has ended (exit status: 3)"), "{error}");
        assert!(error.ends_with("no such flag"), "{error}");
    }
}
