//! What can go wrong with tables.

use std::io;
use std::path::Path;

use mlpipeline_crds::ExitCode;

use crate::failure::{Failure, FileError};
use crate::network::FetchError;

/// The reason of a file that became another one while it was read.
pub(crate) const DATA_CHANGED: &str = "DataChanged";

/// A failure to find, fetch, read or write rows.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The source cannot be understood.
    #[error("{0}")]
    Source(String),
    /// Nothing is where the source points.
    #[error("{0}")]
    NotFound(String),
    /// The content is not what the format, the spec or the digest says.
    #[error("{name}{place}: {problem}", place = .place.as_ref().map(|place| format!(", {place}")).unwrap_or_default())]
    Content {
        /// The file or URL.
        name: String,
        /// Where in it: "line 3".
        place: Option<String>,
        /// What was found, what is allowed, and what to do.
        problem: String,
    },
    /// A file became another one while it was read.
    #[error(
        "{0} changed while it was read, so that its rows would be of two contents; run the step again once nobody writes there, and let \
         those who write make a new file and rename it"
    )]
    Changed(String),
    /// It cannot be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The query or the result's columns cannot be.
    #[error("{0}")]
    Query(String),
    /// The action was stopped.
    #[error("stopped before it was done")]
    Stopped,
    /// The operating system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// A thread of ours ended without an answer.
    #[error("internal: {0}")]
    Internal(String),
}

impl TableError {
    /// For `map_err`: names what was tried on which file.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        FileError::on::<Self>(action, path)
    }

    /// Wrong content, at no particular place.
    pub(crate) fn content(name: &str, problem: impl Into<String>) -> Self {
        Self::Content { name: name.to_owned(), place: None, problem: problem.into() }
    }

    /// Wrong content at a line, counted from 1.
    pub(crate) fn line(name: &str, line: u64, problem: impl Into<String>) -> Self {
        Self::Content { name: name.to_owned(), place: Some(format!("line {line}")), problem: problem.into() }
    }
}

impl Failure for TableError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Source(_) | Self::Query(_) => ExitCode::WrongSpec,
            Self::NotFound(_) | Self::Content { .. } => ExitCode::WrongData,
            // The next run reads what is there then.
            Self::Changed(_) => ExitCode::StorageUnavailable,
            Self::Fetch(error) => error.exit_code(),
            Self::File(error) => error.exit_code(),
            Self::Stopped | Self::Internal(_) => ExitCode::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Source(_) => "SourceRefused",
            Self::NotFound(_) => "DataNotFound",
            Self::Content { .. } => "DataMalformed",
            Self::Changed(_) => DATA_CHANGED,
            Self::Fetch(error) => error.reason(),
            Self::Query(_) => "QueryInvalid",
            Self::Stopped => "Stopped",
            Self::File(error) => error.reason(),
            Self::Internal(_) => "Internal",
        }
    }
}
