//! Doing one step: from its JSON to what the report says.
//!
//! Owns the order of things: version, reuse, work, removal of old revisions. Must not know how any action works.

use std::io::Read;

use mlpipeline_crds::{Action, ExitCode, Revision, RevisionRule, STEP_SPEC_VERSION, StepReport, StepSpec};
use serde::Deserialize;

use crate::WorkContext;
use crate::artifact::{self, ArtifactError, Storage};
use crate::deliver::{Product, replace};
use crate::failure::{Failure, StepError};
use crate::serve::{self, ServeOptions};
use crate::{prepare, score, train};

/// The most bytes of a step's JSON.
const SPEC_LIMIT: u64 = 4 << 20;

/// A step's JSON that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// It cannot be read.
    #[error("cannot read the step from {from}: {source}")]
    Unreadable {
        /// The file, or standard input.
        from: String,
        /// The answer.
        source: std::io::Error,
    },
    /// It is too long.
    #[error("the step has more than {SPEC_LIMIT} bytes")]
    TooLong,
    /// It is no step.
    #[error("the step's JSON is wrong: {0}")]
    Malformed(serde_json::Error),
    /// It was written by a newer or older operator.
    #[error(
        "the step has version {0}, and this worker does version {STEP_SPEC_VERSION}; use the worker image of the operator's release"
    )]
    Version(u64),
}

impl Failure for SpecError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::WrongSpec
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } | Self::TooLong | Self::Malformed(_) => "SpecInvalid",
            Self::Version(_) => "SpecVersion",
        }
    }
}

/// Reads a step: JSON itself, `@FILE`, or `-` for standard input.
///
/// # Errors
/// When it cannot be read, is no step, or is of another version.
pub fn parse(argument: &str) -> Result<StepSpec, SpecError> {
    let text = match argument {
        "-" => read("standard input", std::io::stdin())?,
        other => match other.strip_prefix('@') {
            Some(path) => {
                let file = std::fs::File::open(path)
                    .map_err(|source| SpecError::Unreadable { from: path.to_owned(), source })?;
                read(path, file)?
            }
            None => other.to_owned(),
        },
    };
    // The version first: another version may have other fields.
    #[derive(Deserialize)]
    struct Version {
        version: u64,
    }
    let version: Version = serde_json::from_str(&text).map_err(SpecError::Malformed)?;
    if version.version != u64::from(STEP_SPEC_VERSION) {
        return Err(SpecError::Version(version.version));
    }
    serde_json::from_str(&text).map_err(SpecError::Malformed)
}

fn read(from: &str, source: impl Read) -> Result<String, SpecError> {
    let mut text = String::new();
    source
        .take(SPEC_LIMIT + 1)
        .read_to_string(&mut text)
        .map_err(|source| SpecError::Unreadable { from: from.to_owned(), source })?;
    if text.len() as u64 > SPEC_LIMIT { Err(SpecError::TooLong) } else { Ok(text) }
}

/// The report of a step whose result is there already, so that there is nothing to do. Costs one small file to read.
///
/// # Errors
/// When storage does not answer, or a newer worker made the result. A damaged result is no error: the step makes it anew.
pub fn finished(spec: &StepSpec, storage: &Storage) -> Result<Option<StepReport>, StepError> {
    let RevisionRule::Fixed(revision) = &spec.revision else { return Ok(None) };
    if spec.action.is_long_running() {
        return Ok(None);
    }
    let folder = storage.artifact_dir(&format!("{}/{revision}", spec.folder()))?;
    match artifact::read(&folder) {
        Ok(manifest) => Ok(Some(StepReport { reused: true, ..manifest.report })),
        Err(ArtifactError::Missing(_)) => Ok(None),
        Err(error @ ArtifactError::Damaged { .. }) => {
            tracing::warn!("{error}; it is made anew");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Brings a result that was there already to the object or table that it is for, where the step has one: something else may
/// have been delivered there since. Rows that were posted before it was published are not posted again.
///
/// # Errors
/// When the artifact cannot be read, or the place refuses or does not answer.
pub async fn deliver_again(
    spec: &StepSpec,
    revision: &Revision,
    context: &WorkContext,
) -> Result<(), StepError> {
    let Some((delivery, format)) = spec.action.delivery() else { return Ok(()) };
    let folder = context.storage.artifact_dir(&format!("{}/{revision}", spec.folder()))?;
    let manifest = artifact::read(&folder)?;
    replace(delivery, &Product::of_artifact(&folder, format, &manifest), context).await
}

/// Does the work of a step and publishes its result.
///
/// # Errors
/// Whatever the action answers.
pub async fn work(
    spec: &StepSpec,
    context: &WorkContext,
    serving: &ServeOptions,
) -> Result<StepReport, StepError> {
    match &spec.action {
        Action::Prepare(step) => prepare::run(step, spec, context).await,
        Action::Train(step) => train::run(step, spec, context).await,
        Action::Score(step) => score::run(step, spec, context).await,
        Action::Serve(step) => {
            serve::run(step, context, serving).await?;
            Ok(StepReport::succeeded(None))
        }
    }
}

/// Removes the revisions that the step was told are no longer needed, but never the one that it just reported.
///
/// # Errors
/// When storage refuses.
pub fn clean(spec: &StepSpec, storage: &Storage, published: Option<&Revision>) -> Result<(), StepError> {
    if spec.remove.is_empty() {
        return Ok(());
    }
    let folder = storage.artifact_dir(&spec.folder())?;
    Ok(artifact::remove_revisions(&folder, &spec.remove, published)?)
}
