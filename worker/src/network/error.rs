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
    /// It took longer than it may.
    #[error("cannot fetch {url}: {problem}")]
    Late {
        /// The URL without credentials.
        url: String,
        /// How long it may take, and how to give it longer.
        problem: String,
    },
    /// What came ends before the content does, and only the content shows it.
    #[error(
        "{name} was cut short on its way: the server closed the connection without having said how long it is, and what came {problem}. It is \
         worth another attempt; a server that sends Content-Length, or chunks, lets this be noticed at once"
    )]
    CutShort {
        /// The URL without credentials.
        name: String,
        /// What shows it.
        problem: String,
    },
    /// The download cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl FetchError {
    /// The same with what a server said as `clean` leaves it.
    pub(super) fn cleaned(self, clean: impl Fn(&str) -> String) -> Self {
        match self {
            // The address may be another one, to which the server redirects.
            Self::Refused { url, problem } => Self::Refused { url: clean(&url), problem: clean(&problem) },
            Self::Unreachable { url, problem, attempts } => {
                Self::Unreachable { url, problem: clean(&problem), attempts }
            }
            other => other,
        }
    }
}

impl Failure for FetchError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Refused { .. } => ExitCode::WrongData,
            Self::Unreachable { .. } | Self::Late { .. } | Self::CutShort { .. } => {
                ExitCode::StorageUnavailable
            }
            Self::File(error) => error.exit_code(),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "FetchRefused",
            Self::Unreachable { .. } | Self::Late { .. } | Self::CutShort { .. } => "FetchFailed",
            Self::File(error) => error.reason(),
        }
    }
}
