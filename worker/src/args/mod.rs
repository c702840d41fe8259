//! The command line: what was typed, and what it means.
//!
//! Owns the top-level command; each action's own flags are in its folder, and those that they share in `flags`. Nothing else
//! reads the environment.

mod step_args;

use clap::{Parser, Subcommand};

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
    use clap::CommandFactory;

    use super::Args;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }
}
