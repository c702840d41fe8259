//! score: a table in, the same table with a model's predictions beside it out.
//!
//! Owns the prediction's columns. Rows stream: memory does not grow with them, and nothing is published unless every row
//! could be predicted for. Must not know formats or storage layout: `table` and `artifact` do.

mod args;
mod columns;
mod error;
mod predict;
mod tally;

use std::path::Path;
use std::sync::Arc;

use mlpipeline_crds::{DataSource, Digest, Format, ScoreStep, StepReport, StepSpec};

pub use self::args::ScoreArgs;
pub use self::error::ScoreError;
use self::predict::{predictions, tallied};
use self::tally::Tally;
use crate::WorkContext;
use crate::artifact::{Draft, Kind};
use crate::deliver::{self, Finished, Product};
use crate::failure::StepError;
use crate::model::Model;
use crate::table::{self, Written};
use crate::work::Work;

impl<Serving> Work<Serving> for ScoreStep {
    async fn work(
        &self,
        spec: &StepSpec,
        context: &WorkContext,
        _: &Serving,
    ) -> Result<StepReport, StepError> {
        run(self, spec, context).await
    }
}

/// Does a score step: predicts for every row of the input, and publishes the result.
///
/// # Errors
/// When the model or the input cannot be read, a row cannot be predicted for, or storage fails. Nothing is published then.
async fn run(step: &ScoreStep, spec: &StepSpec, context: &WorkContext) -> Result<StepReport, StepError> {
    let folder = context.storage.step_folder(&spec.folder())?;
    let mut draft = Draft::begin(folder.path())?.stopped_by(&context.cancellation);
    let open = context.storage.artifact(&step.model)?;
    let model = load(open.path().to_owned(), step.model_digest.clone()).await?;
    let path = draft.path(&format!("data.{}", step.format.extension()))?;
    let (written, tally) = make(model, &step.input, step.format, &path, context).await?;
    draft.set_columns(written.columns.clone());
    let mut report = StepReport::succeeded(None);
    report.rows = Some(written.rows);
    report.metrics = tally.metrics();
    if written.rows == 0 {
        report.message = Some("the input has no rows".to_owned());
    }
    let finished =
        Finished { draft, kind: Kind::Predictions, product: Product::written(&path, step.format, &written) };
    let draft = deliver::before_publishing(finished, step.delivery.as_ref(), spec, context).await?;
    let rule = spec.revision.clone();
    // Hashing a large file is work for a core, and syncing waits for the disk.
    let published =
        tokio::task::spawn_blocking(move || draft.publish(Kind::Predictions, report, &rule)).await;
    Ok(published.map_err(ScoreError::lost)??.report())
}

/// Loads a model; its file is read and hashed, so not on the runtime's threads.
async fn load(folder: std::path::PathBuf, digest: Option<Digest>) -> Result<Arc<Model>, StepError> {
    let model = tokio::task::spawn_blocking(move || Model::load_expected(&folder, digest.as_ref())).await;
    Ok(Arc::new(model.map_err(ScoreError::lost)??))
}

/// Writes the input with its predictions to a new file.
async fn make(
    model: Arc<Model>,
    input: &DataSource,
    format: Format,
    path: &Path,
    context: &WorkContext,
) -> Result<(Written, Tally), StepError> {
    let table = table::open_expecting(input, "input", model.schema().expected_types(), context).await?;
    let tally = Tally::shared(model.schema());
    let rows = predictions(table, model, Arc::clone(&tally)).await?;
    let written = table::write(rows, format, path, context.progress).await?;
    Ok((written, tallied(&tally)))
}
