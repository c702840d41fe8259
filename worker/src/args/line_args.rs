//! Flags of commands that read one table, for files of lines.

use clap::Args;
use mlpipeline_crds::OnMismatch;

/// How lines of text become rows.
#[derive(Clone, Debug, Args)]
pub struct LineArgs {
    /// A text file's columns: a regular expression whose named groups, (?<name>…), become the columns of each line.
    #[arg(long, value_name = "REGEX", conflicts_with = "columns")]
    pub pattern: Option<String>,
    /// Leave out lines in which the pattern is not found, rather than fail.
    #[arg(long, requires = "pattern")]
    pub skip_mismatch: bool,
}

impl LineArgs {
    /// What becomes of lines in which the pattern is not found.
    #[must_use]
    pub fn on_mismatch(&self) -> Option<OnMismatch> {
        self.skip_mismatch.then_some(OnMismatch::Skip)
    }
}
