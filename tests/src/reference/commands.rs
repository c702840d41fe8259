//! The page about the programs: the help of each command, as the program itself prints it.

use std::fmt::Write as _;
use std::process::Command;

use crate::programs;

const INTRODUCTION: &str = "<!-- Written by `make reference` from the programs' help: edit the flags' comments in the code instead. -->
# Commands

`kubectl-mlpipeline` is for people; as a kubectl plugin it is called `kubectl mlpipeline`. The operator runs in the cluster.
The worker does the work of steps, in pods and on a laptop, and each of its commands can be used by itself.
";

const PROGRAMS: [&str; 3] = ["kubectl-mlpipeline", "mlpipeline-operator", "mlpipeline-worker"];

/// The whole page.
pub(super) fn page() -> String {
    let mut text = INTRODUCTION.to_owned();
    for program in PROGRAMS {
        command(program, &mut Vec::new(), &mut text);
    }
    text
}

/// A section for a command, then those of its subcommands.
fn command(program: &str, path: &mut Vec<String>, text: &mut String) {
    let help = help(program, path);
    let level = if path.is_empty() { "##" } else { "###" };
    let name = std::iter::once(program).chain(path.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
    let _ = write!(text, "\n{level} {name}\n\n```text\n{}\n```\n", help.trim_end());
    for subcommand in subcommands(&help) {
        path.push(subcommand);
        command(program, path, text);
        path.pop();
    }
}

/// What a command prints when asked for help. The environment would show through in the flags' current values.
#[expect(clippy::expect_used, reason = "a program that does not start leaves nothing to write")]
fn help(program: &str, path: &[String]) -> String {
    let output = Command::new(programs::path(program))
        .args(path)
        .arg("--help")
        .env_clear()
        .output()
        .expect("the program starts");
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    lines.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// The names under the heading "Commands:".
fn subcommands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = listed.take_while(|line| line.starts_with("  ")).filter(|line| !line.starts_with("   "));
    names
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}
