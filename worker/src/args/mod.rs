//! The command line: what was typed, and what it means.
//!
//! Owns the top-level command; each action's own flags are in its folder, and those that they share in `flags`. Nothing else
//! reads the environment.

mod step_args;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

pub use step_args::StepArgs;

use crate::export_onnx::ExportOnnxArgs;
use crate::import::ImportArgs;
use crate::logging::LogFormat;
use crate::prepare::PrepareArgs;
use crate::score::ScoreArgs;
use crate::serve::ServeArgs;
use crate::train::TrainArgs;

/// Prepares data, trains models, serves them and scores with them: one step of an MLPipeline, or by itself.
#[derive(Debug, Parser)]
#[command(name = "mlpipeline-worker", version, propagate_version = true, arg_required_else_help = true)]
pub struct Args {
    /// How logs are written to stderr; text on a terminal and json elsewhere when absent.
    #[arg(long, global = true, value_enum, env = "MLPIPELINE_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Args {
    /// What the command line says; where it is wrong, the process ends with what is wrong.
    #[must_use]
    pub fn parse_or_exit() -> Self {
        match Self::try_parse() {
            Ok(args) => args,
            Err(error) if error.kind() == ErrorKind::InvalidUtf8 => {
                Self::command().error(ErrorKind::InvalidUtf8, not_utf8(std::env::args_os())).exit()
            }
            Err(error) => error.exit(),
        }
    }
}

/// Which arguments are not UTF-8, each with the flag that it belongs to.
fn not_utf8(arguments: impl Iterator<Item = OsString>) -> String {
    let mut flag = None;
    let mut found = Vec::new();
    for argument in arguments.skip(1) {
        let text = argument.to_string_lossy();
        let own = text.starts_with("--").then(|| text.split('=').next().unwrap_or_default().to_owned());
        if argument.to_str().is_none() {
            let of = own.clone().or_else(|| flag.clone()).map(|flag| format!(" of {flag}"));
            found.push(format!("the value{} is not UTF-8: {argument:?}", of.unwrap_or_default()));
        }
        flag = own;
    }
    format!("{}; names of columns and tables, and places to read from, are given in UTF-8", found.join("; "))
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Do one step of a pipeline, as the operator or the laptop describes it.
    Step(StepArgs),
    /// Make a table from tables with SQL, and check it.
    Prepare(PrepareArgs),
    /// Train a model on a table.
    Train(Box<TrainArgs>),
    /// Take a model that was made elsewhere, as an ONNX file.
    Import(ImportArgs),
    /// Predict for every row of a table.
    Score(ScoreArgs),
    /// Answer predictions of a model over HTTP until stopped.
    Serve(ServeArgs),
    /// Write a trained model as an ONNX file.
    ExportOnnx(ExportOnnxArgs),
    /// Print the completions of a shell.
    Completion {
        /// The shell.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_flag_of_a_value_that_is_not_utf8_is_named() {
        let bad = |text: &[u8]| OsString::from_vec(text.to_vec());
        for (arguments, part) in [
            (vec![bad(b"--input"), bad(b"t=\xff.csv")], "of --input is not UTF-8: \"t=\\xFF.csv\""),
            (vec![bad(b"--out"), bad(b"a"), bad(b"--target=\xff")], "of --target is not UTF-8"),
            (vec![bad(b"\xff")], "the value is not UTF-8"),
        ] {
            let all = [bad(b"mlpipeline-worker"), bad(b"train")].into_iter().chain(arguments);
            let text = not_utf8(all);
            assert!(text.contains(part), "{text}");
        }
    }
}
