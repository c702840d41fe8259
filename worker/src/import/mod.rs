//! import: a model that was made elsewhere in, an artifact of a model out.
//!
//! Owns what of a graph is a feature, a class or an answer, and what is tried before anything is published: whoever serves or scores
//! later finds a model that was checked. Must not know operators, nor how models are stored.

mod answer;
mod args;
mod error;
mod features;
mod inspect;
mod probe;
mod tried;

use bytes::Bytes;
use mlpipeline_crds::{ImportStep, StepReport, StepSpec};

pub use args::ImportArgs;
pub use error::ImportError;
pub use inspect::{Imported, inspect};

use crate::WorkContext;
use crate::artifact::{Draft, Kind};
use crate::failure::StepError;
use crate::onnx::FILE_LIMIT;
use crate::table::fetch_file;
use crate::work::Work;

impl<Serving> Work<Serving> for ImportStep {
    async fn work(
        &self,
        spec: &StepSpec,
        context: &WorkContext,
        _: &Serving,
    ) -> Result<StepReport, StepError> {
        run(self, spec, context).await
    }
}

/// Does an import step: fetches the file, checks it, and publishes the model.
///
/// # Errors
/// When the file cannot be read, is no model that can be computed, or storage fails. Nothing is published then.
async fn run(step: &ImportStep, spec: &StepSpec, context: &WorkContext) -> Result<StepReport, StepError> {
    let folder = context.storage.step_folder(&spec.folder())?;
    // Storage first: a volume that cannot be written is known before the work.
    let draft = Draft::begin(folder.path())?.stopped_by(&context.cancellation);
    let imported = import(step, context).await?;
    for (name, bytes) in imported.model.files()? {
        draft.write(name, &bytes)?;
    }
    let rule = spec.revision.clone();
    // Syncing waits for the disk.
    let published = tokio::task::spawn_blocking(move || draft.publish(Kind::Model, imported.report(), &rule));
    Ok(published.await.map_err(ImportError::lost)??.report())
}

/// Fetches and checks a model.
///
/// # Errors
/// As [`run`].
pub(crate) async fn import(step: &ImportStep, context: &WorkContext) -> Result<Imported, StepError> {
    let bytes =
        fetch_file(&step.uri, step.sha256.as_deref(), step.credentials.as_deref(), FILE_LIMIT, context);
    let (bytes, step) = (Bytes::from(bytes.await?), step.clone());
    // Trying a graph is work for a core.
    let inspected = tokio::task::spawn_blocking(move || inspect(bytes, &step)).await;
    Ok(inspected.map_err(ImportError::lost)??)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tried_tests;
