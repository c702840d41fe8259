//! Why a file is not taken as a model.

use mlpipeline_crds::ExitCode;

use crate::failure::Failure;
use crate::model::ModelError;
use crate::onnx::GraphError;

/// Why a file is not taken as a model.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Its graph cannot be computed.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// What the step says does not fit the graph, or the graph says too little.
    #[error("{0}")]
    Step(String),
    /// The graph computes nothing of a row that was tried.
    #[error(
        "the ONNX graph has no answer to a row that was tried: {0}; export it again, and try it with a row of numbers and empty texts"
    )]
    Tried(String),
    /// The parts do not fit together.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A task ended without an answer.
    #[error("internal: {0}")]
    Internal(String),
}

impl ImportError {
    /// For `map_err`: a task that ended without an answer.
    pub(super) fn lost(error: tokio::task::JoinError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl Failure for ImportError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Graph(error) => error.exit_code(),
            Self::Model(error) => error.exit_code(),
            Self::Step(_) | Self::Tried(_) => ExitCode::WrongData,
            Self::Internal(_) => ExitCode::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Graph(error) => error.reason(),
            Self::Model(error) => error.reason(),
            Self::Step(_) => "ImportUnclear",
            Self::Tried(_) => "OnnxNotComputed",
            Self::Internal(_) => "Internal",
        }
    }
}
