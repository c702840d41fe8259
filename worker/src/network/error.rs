//! What can go wrong with a download.

use mlpipeline_crds::ExitCode;

use crate::failure::{Failure, FileError};

/// A download that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The server, or a rule of the network, does not allow it.
    #[error("cannot fetch {url}: {problem}")]
    Refused {
        /// The URL without credentials.
        url: String,
        /// What was answered.
        problem: String,
    },
    /// The server does not answer as it should, although it was asked several times.
    #[error("cannot fetch {url}: {problem}; tried {attempts} times")]
    Unreachable {
        /// The URL without credentials.
        url: String,
        /// The last failure.
        problem: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// The download cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Failure for FetchError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Refused { .. } => ExitCode::WrongData,
            Self::Unreachable { .. } => ExitCode::StorageUnavailable,
            Self::File(error) => error.exit_code(),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "FetchRefused",
            Self::Unreachable { .. } => "FetchFailed",
            Self::File(error) => error.reason(),
        }
    }
}
