//! The command line: what was typed, and what it means.
//!
//! Owns the top-level command and the flags that all work shares; each action's own flags are in its folder. This is the only
//! place that reads the environment.

mod line_args;
mod out_file;
mod quantity;
mod step_args;
mod work_args;

use clap::{Parser, Subcommand};

pub use line_args::LineArgs;
pub use out_file::OutFile;
pub use quantity::{parse_bytes, parse_duration};
pub use step_args::StepArgs;
pub use work_args::WorkArgs;

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
    Train(TrainArgs),
    /// Predict for every row of a table.
    Score(ScoreArgs),
    /// Answer predictions of a model over HTTP until told to stop.
    Serve(ServeArgs),
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
