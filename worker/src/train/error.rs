//! What can be wrong with a training step or its data.

use mlpipeline_crds::ExitCode;

use crate::artifact::ArtifactError;
use crate::failure::Failure;
use crate::model::ModelError;

/// What can be wrong with a training step or its data.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The step asks for what cannot be.
    #[error("{0}")]
    Spec(String),
    /// A column that is not there.
    #[error("{role} column \"{name}\" not found in the training data; columns are {columns}")]
    ColumnNotFound {
        /// Target or feature.
        role: &'static str,
        /// The column.
        name: String,
        /// The columns that there are.
        columns: String,
    },
    /// The rows are not what training needs.
    #[error("{0}")]
    Data(String),
    /// The values of one of the model's columns are not what the algorithm needs. Whoever knows the columns' names gives it one.
    #[error("feature {} {problem}", place + 1)]
    Feature {
        /// The column's place, from 0.
        place: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// The numbers are beyond what can be computed with.
    #[error("{0}; look for absurd values in the features, and set scale: standard")]
    Numbers(String),
    /// The gate says that the model is not good enough, on the command line; a step reports it instead.
    #[error("the gate rejects the model: {verdict}; it is kept in {folder}, and score and serve warn of it")]
    Rejected {
        /// Why.
        verdict: String,
        /// Where the model is.
        folder: String,
    },
    /// More rows than memory holds.
    #[error("{0}")]
    Memory(String),
    /// The model is none.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Storage refuses to keep what was measured.
    #[error(transparent)]
    Storage(#[from] ArtifactError),
    /// A defect of the worker.
    #[error("training stopped unexpectedly: {0}")]
    Internal(String),
}

impl TrainError {
    /// A step whose algorithm needs a target, and that names none.
    pub(super) fn missing_target() -> Self {
        Self::Spec("target is missing: name the column to predict".to_owned())
    }

    /// A row without the target; rows are counted from 0.
    pub(super) fn null_target(name: &str, row: usize) -> Self {
        Self::Data(format!(
            "target \"{name}\" is null in row {}, and every row to learn from needs it; leave such rows out in a prepare step: \
             WHERE \"{name}\" IS NOT NULL",
            row + 1
        ))
    }
}

impl Failure for TrainError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Spec(_) => ExitCode::WrongSpec,
            Self::ColumnNotFound { .. }
            | Self::Data(_)
            | Self::Feature { .. }
            | Self::Numbers(_)
            | Self::Rejected { .. }
            | Self::Memory(_) => ExitCode::WrongData,
            Self::Model(error) => error.exit_code(),
            Self::Storage(error) => error.exit_code(),
            Self::Internal(_) => ExitCode::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Spec(_) => "WrongSpec",
            Self::ColumnNotFound { .. } => "ColumnNotFound",
            Self::Data(_) | Self::Feature { .. } => "WrongData",
            Self::Numbers(_) => "NumbersOutOfRange",
            Self::Rejected { .. } => "GateRejected",
            Self::Memory(_) => "TooLargeForMemory",
            Self::Model(error) => error.reason(),
            Self::Storage(error) => error.reason(),
            Self::Internal(_) => "Internal",
        }
    }
}
