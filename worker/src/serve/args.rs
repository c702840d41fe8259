//! The command line of `mlpipeline-worker serve`.

use std::path::PathBuf;

use super::ServeOptions;

/// Answer predictions over HTTP until told to stop.
#[derive(Clone, Debug, clap::Args)]
pub struct ServeArgs {
    /// Folder of the trained model.
    #[arg(long, value_name = "FOLDER")]
    pub model: PathBuf,

    /// Where and within which limits.
    #[command(flatten)]
    pub options: ServeOptions,
}
