//! What can go wrong with scoring.

use mlpipeline_crds::ExitCode;

use crate::failure::Failure;

/// A failure to score.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScoreError {
    /// The input has a column of the name that a prediction's column has.
    #[error(
        "the input has a column \"{0}\" already, which is what the prediction is called; leave it out, or name it \
         otherwise in a prepare step"
    )]
    ColumnTaken(String),
    /// The prediction's columns do not go with the input's.
    #[error("internal: {0}")]
    Internal(String),
}

impl ScoreError {
    /// For `map_err`: a task that ended without an answer.
    pub(super) fn lost(error: tokio::task::JoinError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl Failure for ScoreError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::ColumnTaken(_) => ExitCode::WrongData,
            Self::Internal(_) => ExitCode::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::ColumnTaken(_) => "ColumnTaken",
            Self::Internal(_) => "Internal",
        }
    }
}
