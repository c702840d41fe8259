//! What can go wrong with a continuous step, or with one of its files.

use std::any::Any;

use mlpipeline_crds::ExitCode;

use crate::failure::Failure;

/// The reason of a file with other columns than the first one.
pub(super) const SCHEMA_CHANGED: &str = "SchemaChanged";

/// What is wrong with a continuous step or its file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContinuousError {
    /// Its input cannot be watched.
    #[error("{0}")]
    Source(String),
    /// A file whose processing never came to an end.
    #[error(
        "its processing ended the whole process {0} times, as it does when memory runs out; give the step more with pod.resources.limits.memory, and put the file back where it came from"
    )]
    EndsTheProcess(u32),
    /// A file with other columns than the first one of the step.
    #[error(
        "its columns are not those of the step's first file: {differences}; correct the file, or say in the input's reading.types which types the columns have, which begins with a new first file"
    )]
    Schema {
        /// Which ones differ, and how.
        differences: String,
    },
    /// A file that no error of ours was foreseen for.
    #[error("internal error, please report it: {0}")]
    Panicked(String),
    /// The process was stopped before the file's result was whole.
    #[error("stopped before its result was whole")]
    Stopped,
}

impl ContinuousError {
    /// What a panic said.
    pub(super) fn of_panic(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Self::Panicked(text.unwrap_or_else(|| "a panic without a message".to_owned()))
    }
}

impl Failure for ContinuousError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Source(_) | Self::EndsTheProcess(_) => ExitCode::WrongSpec,
            Self::Schema { .. } => ExitCode::WrongData,
            Self::Panicked(_) | Self::Stopped => ExitCode::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Source(_) => "SourceRefused",
            Self::EndsTheProcess(_) => "EndsTheProcess",
            Self::Schema { .. } => SCHEMA_CHANGED,
            Self::Panicked(_) => "Panicked",
            Self::Stopped => "Stopped",
        }
    }
}
