//! The command line of `mlpipeline-worker serve`.

use std::path::PathBuf;

use super::ServeOptions;

/// Answer predictions over HTTP until stopped.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  mlpipeline-worker serve --model ./model
  MLPIPELINE_API_KEY=… mlpipeline-worker serve --model ./model --listen 0.0.0.0:8000 --drain-delay 5s

Then open http://127.0.0.1:8000/docs. SIGTERM or Ctrl-C drains and ends it; a second one does not wait for --drain-delay.
A model that its gate rejected is served, with a warning on standard error.
Exit codes: 0 stopped, 1 internal error, 2 wrong spec, 3 wrong data, 4 storage unavailable.")]
pub struct ServeArgs {
    /// The folder of the trained model.
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,

    /// Where and within which limits.
    #[command(flatten)]
    pub options: ServeOptions,
}
