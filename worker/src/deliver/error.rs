//! What can go wrong with a delivery.

use mlpipeline_crds::ExitCode;

use crate::failure::Failure;

/// The reasons of failures that are the receiver's, whatever the rows are: once it answers, or its address and credentials are right, the same
/// rows may be taken.
pub(crate) const OF_RECEIVER: [&str; 3] = ["ReceiverUnavailable", "EndpointRefused", "UriInvalid"];

/// A failure to deliver.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliverError {
    /// The receiver cannot be understood.
    #[error("{0}")]
    Uri(String),
    /// The receiver will not take it.
    #[error("cannot deliver {what} to {url}: {problem}")]
    Refused {
        /// Which rows of which file.
        what: String,
        /// The URL without credentials.
        url: String,
        /// What was answered.
        problem: String,
    },
    /// The address or the credentials are wrong, whatever the rows are.
    #[error("cannot deliver {what} to {url}: {problem}")]
    Endpoint {
        /// Which rows of which file.
        what: String,
        /// The URL without credentials.
        url: String,
        /// What was answered, and what to do.
        problem: String,
    },
    /// The receiver does not answer as it should, though it was asked several times.
    #[error("cannot deliver {what} to {url}: {problem}; tried {attempts} times")]
    Unavailable {
        /// Which rows of which file.
        what: String,
        /// The URL without credentials.
        url: String,
        /// The last failure.
        problem: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// The process was stopped before all rows were taken.
    #[error("stopped before the receiver accepted all rows")]
    Stopped,
    /// A thread of ours ended without an answer.
    #[error("internal: {0}")]
    Internal(String),
}

impl DeliverError {
    /// For `map_err`: a task that ended without an answer.
    pub fn lost(error: tokio::task::JoinError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl Failure for DeliverError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Uri(_) => ExitCode::WrongSpec,
            Self::Refused { .. } | Self::Endpoint { .. } => ExitCode::WrongData,
            Self::Unavailable { .. } => ExitCode::StorageUnavailable,
            Self::Stopped | Self::Internal(_) => ExitCode::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Uri(_) => "UriInvalid",
            Self::Refused { .. } => "DeliveryRefused",
            Self::Endpoint { .. } => "EndpointRefused",
            Self::Unavailable { .. } => "ReceiverUnavailable",
            Self::Stopped => "Stopped",
            Self::Internal(_) => "Internal",
        }
    }
}
