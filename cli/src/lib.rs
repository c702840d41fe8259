//! The `kubectl-mlpipeline` command.
//!
//! Owns what a person meets at the terminal: reading manifests, showing what would run, and running pipelines on this
//! machine. Must not decide what runs: [`mlpipeline_core::plan`] does, here and in a cluster alike.

mod args;
mod commands;
mod exit_status;
pub mod local;
pub mod manifest;
mod show;
pub mod state;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use args::{Arguments, Command};
use clap::{CommandFactory, FromArgMatches};
use exit_status::ExitStatus;

/// Runs the command that the arguments name.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let command = Arguments::command().bin_name(called_by(arguments.first()));
    let parsed =
        command.try_get_matches_from(&arguments).and_then(|matches| Arguments::from_arg_matches(&matches));
    match parsed {
        Ok(arguments) => dispatch(arguments.command),
        Err(error) => {
            // There is no other way to report that the message cannot be printed.
            error.print().ok();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(ExitStatus::WrongUsage as u8))
        }
    }
}

fn dispatch(command: Command) -> ExitCode {
    let status = match command {
        Command::Validate(arguments) => commands::validate::run(&arguments),
        Command::Plan(arguments) => commands::plan::run(&arguments),
        Command::Trials(arguments) => commands::trials::run(&arguments),
        Command::Local(arguments) => commands::local::run(&arguments),
        Command::Completion { shell } => {
            let mut command = Arguments::command();
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, "kubectl-mlpipeline", &mut script);
            show::line(String::from_utf8_lossy(&script).trim_end());
            ExitStatus::Success
        }
        Command::Watchdog { container, variables, command } => {
            return commands::watchdog::run(&container, &variables, &command);
        }
    };
    let Some(problem) = show::unprinted() else { return ExitCode::from(status as u8) };
    show::error(&format!("the result cannot be written to standard output: {problem}"));
    // What the command found out counts more, where that is a failure.
    ExitCode::from(if status as u8 == 0 { ExitStatus::Failure as u8 } else { status as u8 })
}

/// The name that the command was called by: kubectl calls its plugins by their whole path.
fn called_by(program: Option<&OsString>) -> String {
    let path = program.map(Path::new).unwrap_or_else(|| Path::new(""));
    let name = path
        .file_name()
        .map_or_else(|| "kubectl-mlpipeline".into(), |name| name.to_string_lossy().into_owned());
    match name.strip_prefix("kubectl-") {
        Some(plugin) if path.is_absolute() => format!("kubectl {plugin}"),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_shows_the_name_that_was_typed() {
        let rows = [
            ("/usr/local/bin/kubectl-mlpipeline", "kubectl mlpipeline"),
            ("kubectl-mlpipeline", "kubectl-mlpipeline"),
            ("target/debug/kubectl-mlpipeline", "kubectl-mlpipeline"),
            ("/opt/mlp", "mlp"),
        ];
        for (program, expected) in rows {
            assert_eq!(called_by(Some(&program.into())), expected);
        }
    }
}
