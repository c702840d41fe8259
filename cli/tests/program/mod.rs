//! Calls the built program in a folder of its own.

#![allow(dead_code)] // each test file uses its own part

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A folder with files to call the program on.
pub struct Folder(tempfile::TempDir);

/// What a call printed and ended with.
pub struct Answer {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// A worker that does what the variable SCRIPT of its step says, in place of real work; `succeed` publishes.
const FAKE_WORKER: &str = r#"#!/bin/sh
SPEC=$(cat "${2#@}")
field() { printf '%s' "$SPEC" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
STEP=$(field step)
REVISION=$(field fixed)
while [ $# -gt 0 ]; do
  case $1 in --storage) STORAGE=$2;; --report) REPORT=$2;; --listen) LISTEN=$2;; esac
  shift
done
RESULT=$STORAGE/$(field namespace)/$(field pipeline)/$STEP/$REVISION
succeed() {
  mkdir -p "$RESULT" && touch "$RESULT/manifest.json"
  printf '{"outcome":"succeeded","revision":"%s"}' "$REVISION" > "$REPORT"
}
fail() {
  printf '{"outcome":"failed","reason":"Wrong","message":"%s"}' "$2" > "$REPORT"
  exit "$1"
}
eval "${SCRIPT:-succeed}"
"#;

impl Folder {
    pub fn new() -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        folder.program("worker", FAKE_WORKER);
        folder
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(&path, text).expect("a file");
        path
    }

    /// Writes a script that can be run.
    pub fn program(&self, name: &str, text: &str) {
        let path = self.write(name, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a program");
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-mlpipeline"));
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        command.env_remove("MLPIPELINE_DATA_DIR").env("MLPIPELINE_WORKER", self.path().join("worker"));
        command
    }

    pub fn call(&self, arguments: &[&str]) -> Answer {
        answer(self.command(arguments).output().expect("the program runs"))
    }

    /// Starts the program, and gives what `signal` and `wait` need.
    pub fn start(&self, arguments: &[&str]) -> Running {
        let log = fs::File::create(self.path().join("out")).expect("a file");
        let child = self.command(arguments).stdout(log.try_clone().expect("a file")).stderr(log).spawn();
        Running { child: child.expect("the program runs"), log: self.path().join("out") }
    }
}

/// A program at work.
pub struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    pub fn printed(&self) -> String {
        fs::read_to_string(&self.log).expect("what it printed")
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }

    pub fn wait(mut self) -> (Option<i32>, String) {
        wait_for("the program to end", || self.child.try_wait().expect("a status").is_some());
        (self.child.wait().expect("a status").code(), self.printed())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

pub fn answer(output: Output) -> Answer {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Answer {
        code: output.status.code().expect("an exit code"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// Waits until something is so, at most half a minute.
pub fn wait_for(what: &str, is_so: impl FnMut() -> bool) {
    let mut is_so = is_so;
    let end = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        // A look every few milliseconds: spinning would take the processor from what is waited for.
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// A pipeline of these steps.
pub fn pipeline(steps: &str) -> String {
    format!(
        "apiVersion: mlpipeline.dev/v1alpha1\nkind: MLPipeline\nmetadata: {{name: p}}\nspec:\n  steps:\n{steps}"
    )
}

/// A step whose worker runs a script.
pub fn scripted(name: &str, script: &str) -> String {
    // In a variable's value, as in Kubernetes, $$ stands for $.
    let script = script.replace("$$", "$$$$");
    format!(
        "  - name: {name}\n    prepare: {{sql: SELECT 1}}\n    pod: {{env: [{{name: SCRIPT, value: {}}}]}}\n",
        serde_json::Value::from(script)
    )
}
