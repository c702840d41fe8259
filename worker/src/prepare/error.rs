//! What can go wrong with a query or a check.

use mlpipeline_crds::ExitCode;

use crate::failure::Failure;

/// A failure to prepare.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    /// The SQL is not one query, or cannot be planned.
    #[error("{0}")]
    Query(String),
    /// The SQL names a column or a table that is not there.
    #[error("{0}")]
    Unknown(String),
    /// A check's rules cannot be applied.
    #[error("{0}")]
    Check(String),
    /// The result breaks checks.
    #[error("{0}")]
    Failed(String),
    /// A thread of ours ended without an answer.
    #[error("internal: {0}")]
    Internal(String),
}

impl PrepareError {
    /// For `map_err`: a task that ended without an answer.
    pub fn lost(error: tokio::task::JoinError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl Failure for PrepareError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Query(_) | Self::Unknown(_) | Self::Check(_) => ExitCode::WrongSpec,
            Self::Failed(_) => ExitCode::WrongData,
            Self::Internal(_) => ExitCode::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Query(_) => "QueryInvalid",
            Self::Unknown(_) => "ColumnNotFound",
            Self::Check(_) => "CheckInvalid",
            Self::Failed(_) => "CheckFailed",
            Self::Internal(_) => "Internal",
        }
    }
}
