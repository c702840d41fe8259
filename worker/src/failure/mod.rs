//! How errors of every module become an exit code, a reason for machines and a message for people.

mod file;

use mlpipeline_crds::ExitCode;

pub use file::FileError;
pub(crate) use file::{STANDARD_OUTPUT, is_transient, real_name, storage_reason};

/// What every error type of the worker says of itself.
pub trait Failure: std::error::Error {
    /// Whether a retry could help, and whose fault it is.
    fn exit_code(&self) -> ExitCode;

    /// The kind of failure in CamelCase, for reports and events: "ColumnNotFound".
    fn reason(&self) -> &'static str;
}

/// Any failure of a step, ready to be reported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StepError {
    /// What the process ends with.
    pub exit_code: ExitCode,
    /// The kind of failure in CamelCase.
    pub reason: &'static str,
    /// What happened to which object and what to do, for people; with its sources.
    pub message: String,
}

impl<F: Failure> From<F> for StepError {
    fn from(failure: F) -> Self {
        let mut message = failure.to_string();
        let mut source = failure.source();
        while let Some(error) = source {
            let text = error.to_string();
            // Some libraries print their source themselves.
            if !message.contains(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            source = error.source();
        }
        Self { exit_code: failure.exit_code(), reason: failure.reason(), message }
    }
}
