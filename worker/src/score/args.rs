//! The score command: the same work as a score step, on the user's own files.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;
use mlpipeline_crds::Format;

use super::{load, make};
use crate::WorkContext;
use crate::deliver::{OutPlace, format_of_out};
use crate::failure::StepError;
use crate::flags::{SourceFlags, TableFormat, WorkFlags};
use crate::rejected_model::warn_of_rejected;
use crate::stderr::say;

/// Predict for every row of a table.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  mlpipeline-worker score --model model --data new.csv --out scored.csv
  mlpipeline-worker score --model model --data 'days/*.parquet' --out scored.parquet

The result is the input with predicted_TARGET beside it and, for classes, probability_LABEL for each. Columns may come in
any order, and those that the model does not know pass through. A model that its gate rejected is used, with a warning on
standard error. Credentials come from the environment, as for prepare; the
table is called input there.")]
pub struct ScoreArgs {
    /// The model's folder.
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// The table.
    #[command(flatten)]
    pub source: SourceFlags,
    /// The file to write, or s3:// or postgres:// URL to deliver to; its extension says the format, and .gz or .zst behind it compresses. - is CSV on
    /// standard output.
    #[arg(long, short, value_name = "FILE_OR_URL")]
    pub out: PathBuf,
    /// The format to write, where the extension does not say it.
    #[arg(long, value_enum)]
    pub out_format: Option<TableFormat>,
    /// Resources and network.
    #[command(flatten)]
    pub work: WorkFlags,
}

impl ScoreArgs {
    /// Does the work, and says on a terminal's stderr what was written.
    ///
    /// # Errors
    /// When the model, the input, a row or the output fails; then no output is written.
    pub async fn run(&self, context: &WorkContext) -> Result<(), StepError> {
        let format = format_of_out(&self.out, self.out_format.map(Format::from))?;
        let input = self.source.source("input", &context.secrets)?;
        let model = load(self.model.clone(), None).await?;
        warn_of_rejected(&self.model);
        let out = OutPlace::begin(&self.out, format, context)?;
        let (written, _) = make(model, &input, format, out.path(), context).await?;
        out.publish(format, &written, context).await?;
        if std::io::stderr().is_terminal() {
            say(&format!("{} rows in {}", written.rows, self.out.display()));
        }
        Ok(())
    }
}
