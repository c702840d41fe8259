//! Doing one step: from its JSON to what the report says.
//!
//! Owns the order of things: version, reuse, work, removal of old revisions. Must not know how any action works.

use std::io::Read;

use mlpipeline_crds::{
    Action, ExitCode, OLDEST_STEP_SPEC_VERSION, Revision, RevisionRule, STEP_SPEC_VERSION, StepReport,
    StepSpec, worker_actions,
};
use serde::Deserialize;

use crate::WorkContext;
use crate::artifact::{self, ArtifactError, Kept, Storage};
use crate::deliver::{Product, replace};
use crate::failure::{Failure, StepError, is_transient};
use crate::serve::ServeOptions;
use crate::work::Work;

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
    /// It is not a step.
    #[error("the step's JSON is wrong: {0}")]
    Malformed(serde_json::Error),
    /// It was written by a newer or much older operator.
    #[error(
        "the step has version {0}, and this worker reads versions {OLDEST_STEP_SPEC_VERSION} to {STEP_SPEC_VERSION}; use the worker image of the operator's release"
    )]
    Version(u64),
    /// It uses a field that its version does not have.
    #[error("the step says that it has version {found}, and it has fields of version {needed}")]
    Fields {
        /// The version that it names.
        found: u32,
        /// The lowest version that has its fields.
        needed: u32,
    },
}

impl Failure for SpecError {
    fn exit_code(&self) -> ExitCode {
        match self {
            // The file is there, and the disk did not answer.
            Self::Unreadable { source, .. } if is_transient(source) => ExitCode::StorageUnavailable,
            _ => ExitCode::WrongSpec,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Unreadable { source, .. } if is_transient(source) => "StorageUnavailable",
            Self::Unreadable { .. } | Self::TooLong | Self::Malformed(_) | Self::Fields { .. } => {
                "SpecInvalid"
            }
            Self::Version(_) => "SpecVersion",
        }
    }
}

/// Reads a step: `@FILE`, `-` for standard input, or JSON itself, in as many arguments as its length needs, which are joined.
///
/// # Errors
/// When it cannot be read, is not a step, or is of a version that this worker does not read.
pub fn parse(arguments: &[String]) -> Result<StepSpec, SpecError> {
    let text = match arguments {
        [only] if only == "-" => read("standard input", std::io::stdin())?,
        [only] if only.starts_with('@') => {
            let path = only.trim_start_matches('@');
            let file = std::fs::File::open(path)
                .map_err(|source| SpecError::Unreadable { from: path.to_owned(), source })?;
            read(path, file)?
        }
        parts => parts.concat(),
    };
    // The version first: another version may have other fields.
    #[derive(Deserialize)]
    struct Version {
        version: u64,
    }
    let version: Version = serde_json::from_str(&text).map_err(SpecError::Malformed)?;
    let known = u64::from(OLDEST_STEP_SPEC_VERSION)..=u64::from(STEP_SPEC_VERSION);
    if !known.contains(&version.version) {
        return Err(SpecError::Version(version.version));
    }
    let spec: StepSpec = serde_json::from_str(&text).map_err(SpecError::Malformed)?;
    let (found, needed) = (spec.version, spec.lowest_version());
    if found < needed { Err(SpecError::Fields { found, needed }) } else { Ok(spec) }
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
/// When storage does not answer, or a newer worker made the result. A damaged result is not an error: the step makes it again.
pub fn finished(spec: &StepSpec, storage: &Storage) -> Result<Option<StepReport>, StepError> {
    let RevisionRule::Fixed(revision) = &spec.revision else { return Ok(None) };
    if spec.action.is_long_running() {
        return Ok(None);
    }
    let path = format!("{}/{revision}", spec.folder());
    match storage.artifact(&path).and_then(|folder| artifact::read(folder.path())) {
        Ok(manifest) => Ok(Some(StepReport { reused: true, ..manifest.report })),
        Err(ArtifactError::Missing(_)) => Ok(None),
        Err(error @ ArtifactError::Damaged { .. }) => {
            tracing::warn!("{error}; it is made again");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Removes what killed processes and unfinished work left of a step whose result is there already: no run of it will.
///
/// # Errors
/// When the step's folder is none.
pub fn tidy(spec: &StepSpec, storage: &Storage) -> Result<(), StepError> {
    if let Some(folder) = storage.find_step_folder(&spec.folder())? {
        artifact::sweep(folder.path());
        Kept::remove_all(folder.path());
    }
    Ok(())
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
    let folder = context.storage.artifact(&format!("{}/{revision}", spec.folder()))?;
    let manifest = artifact::read(folder.path())?;
    replace(delivery, &Product::of_artifact(folder.path(), format, &manifest), context).await
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
    work_of(&spec.action, spec, context, serving).await
}

macro_rules! define_work {
    ($($(#[$doc:meta])* $kind:ident($step:ident) $field:ident;)+) => {
        async fn work_of(
            action: &Action,
            spec: &StepSpec,
            context: &WorkContext,
            serving: &ServeOptions,
        ) -> Result<StepReport, StepError> {
            match action {
                $(Action::$kind(step) => step.work(spec, context, serving).await,)+
            }
        }
    };
}

worker_actions!(define_work);

/// Removes the revisions that the step spec lists as no longer needed, but never the one that the step just reported.
///
/// # Errors
/// When storage refuses.
pub fn clean(spec: &StepSpec, storage: &Storage, published: Option<&Revision>) -> Result<(), StepError> {
    if spec.remove.is_empty() {
        return Ok(());
    }
    let Some(folder) = storage.find_step_folder(&spec.folder())? else { return Ok(()) };
    Ok(artifact::remove_revisions(folder.path(), &spec.remove, published)?)
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    #[test]
    fn a_step_that_cannot_be_read_is_wrong_unless_the_disk_does_not_answer() {
        let unreadable = |source: Error| SpecError::Unreadable { from: "step.json".into(), source };
        // EIO, EMFILE and ENOENT.
        for (source, code) in [
            (Error::from_raw_os_error(5), 4),
            (Error::from_raw_os_error(24), 4),
            (Error::from_raw_os_error(2), 2),
            (Error::new(ErrorKind::InvalidData, "not UTF-8"), 2),
        ] {
            let error = StepError::from(unreadable(source));
            assert_eq!(error.exit_code.code(), code, "{error}");
        }
    }
}
