//! What can go wrong with tables, and how DataFusion's errors become ours.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use datafusion::arrow::error::ArrowError;
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use mlpipeline_crds::ExitCode;

use crate::artifact::{advice, storage_reason};
use crate::failure::{Failure, StepError};

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
    /// The server will not give it.
    #[error("cannot fetch {url}: {problem}")]
    Refused {
        /// The URL without credentials.
        url: String,
        /// What was answered.
        problem: String,
    },
    /// The server does not answer as it should, though it was asked several times.
    #[error("cannot fetch {url}: {problem}; tried {attempts} times")]
    Unreachable {
        /// The URL without credentials.
        url: String,
        /// The last failure.
        problem: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// The query or the result's columns cannot be.
    #[error("{0}")]
    Query(String),
    /// The action was told to stop.
    #[error("stopped before it was done")]
    Stopped,
    /// The operating system refused.
    #[error("cannot {action} {}: {source}{}", .path.display(), advice(.source))]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// The answer.
        source: io::Error,
    },
    /// A thread of ours ended without an answer.
    #[error("internal: {0}")]
    Internal(String),
}

impl TableError {
    /// For `map_err`: names what was tried on which file.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
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
            Self::NotFound(_) | Self::Content { .. } | Self::Refused { .. } => ExitCode::WrongData,
            Self::Unreachable { .. } | Self::Io { .. } => ExitCode::StorageUnavailable,
            Self::Stopped | Self::Internal(_) => ExitCode::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Source(_) => "SourceRefused",
            Self::NotFound(_) => "DataNotFound",
            Self::Content { .. } => "DataMalformed",
            Self::Refused { .. } => "FetchRefused",
            Self::Unreachable { .. } => "FetchFailed",
            Self::Query(_) => "QueryInvalid",
            Self::Stopped => "Stopped",
            Self::Io { source, .. } => storage_reason(source),
            Self::Internal(_) => "Internal",
        }
    }
}

/// Rows that a query could not compute, or a query that cannot be planned: a DataFusion error with its cause told apart.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    exit_code: ExitCode,
    reason: &'static str,
    message: String,
}

impl Failure for QueryError {
    fn exit_code(&self) -> ExitCode {
        self.exit_code
    }

    fn reason(&self) -> &'static str {
        self.reason
    }
}

/// Tells whose fault an error of DataFusion is, and says it without DataFusion's own prefixes. Errors that come from
/// reading a table keep their own kind.
#[must_use]
pub fn query_error(error: &DataFusionError) -> StepError {
    if let Some(own) = own_error(error) {
        return own;
    }
    let root = error.find_root();
    let (exit_code, reason) = classify(root);
    let text = root.strip_backtrace();
    let text = text.trim();
    let message = match reason {
        "OutOfMemory" => format!(
            "the query needs more memory than it may use: {text}; give the step more memory, or make the query smaller"
        ),
        _ => text.to_owned(),
    };
    QueryError { exit_code, reason, message }.into()
}

fn classify(root: &DataFusionError) -> (ExitCode, &'static str) {
    match root {
        DataFusionError::ResourcesExhausted(_) => (ExitCode::WrongSpec, "OutOfMemory"),
        DataFusionError::SchemaError(error, _) => match error.as_ref() {
            SchemaError::FieldNotFound { .. } => (ExitCode::WrongSpec, "ColumnNotFound"),
            _ => (ExitCode::WrongSpec, "QueryInvalid"),
        },
        DataFusionError::SQL(..)
        | DataFusionError::Plan(_)
        | DataFusionError::NotImplemented(_)
        | DataFusionError::Configuration(_) => (ExitCode::WrongSpec, "QueryInvalid"),
        DataFusionError::IoError(error) => (ExitCode::StorageUnavailable, storage_reason(error)),
        DataFusionError::ObjectStore(_) => (ExitCode::StorageUnavailable, "StorageUnavailable"),
        DataFusionError::ArrowError(error, _) => match error.as_ref() {
            ArrowError::IoError(_, error) => (ExitCode::StorageUnavailable, storage_reason(error)),
            ArrowError::MemoryError(_) => (ExitCode::WrongSpec, "OutOfMemory"),
            _ => (ExitCode::WrongData, "DataMalformed"),
        },
        DataFusionError::ParquetError(_) | DataFusionError::Execution(_) => {
            (ExitCode::WrongData, "DataMalformed")
        }
        _ => (ExitCode::Internal, "Internal"),
    }
}

/// An error that this crate's own table put into the stream.
fn own_error(error: &DataFusionError) -> Option<StepError> {
    let mut current: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = current {
        if let Some(own) = error.downcast_ref::<StepError>() {
            return Some(own.clone());
        }
        current = match error.downcast_ref::<DataFusionError>() {
            Some(DataFusionError::External(inner)) => Some(inner.as_ref()),
            Some(DataFusionError::Shared(inner)) => Some(inner.as_ref()),
            _ => error.source(),
        };
    }
    None
}
