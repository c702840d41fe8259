//! What can be wrong with a model.

use std::path::PathBuf;

use mlpipeline_crds::ExitCode;

use crate::artifact::ArtifactError;
use crate::failure::Failure;
use crate::onnx::GraphError;

/// What can be wrong with a model or its file.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The folder is not an artifact, or a damaged one.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// The folder holds something else.
    #[error("{} is an artifact, but not of a model; give the folder of a train step's result", .0.display())]
    NoModel(PathBuf),
    /// The file is larger than any model.
    #[error("a file of the model has {found} bytes, and at most {limit} are read")]
    TooLarge {
        /// Its size in bytes.
        found: u64,
        /// The most bytes.
        limit: u64,
    },
    /// The file is of a newer version.
    #[error(
        "the model is of format version {found}, and this worker reads versions up to {}; use a newer worker image",
        super::limits::MODEL_VERSION
    )]
    Version {
        /// The version in the file.
        found: u64,
    },
    /// The file is not a model, or contradicts itself.
    #[error("not a whole model: {0}; train it again")]
    Invalid(String),
    /// Rows of another width than the model's features.
    #[error("a row has {found} numbers, and the model has {expected} features")]
    Width {
        /// Columns given.
        found: usize,
        /// Features of the model.
        expected: usize,
    },
    /// A row that a forecast has no answer for.
    #[error("row {} {problem}", row + 1)]
    Unforeseen {
        /// The row, from 0.
        row: usize,
        /// Why, and what to do.
        problem: String,
    },
    /// The graph of a model that was made elsewhere cannot be computed.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// A graph has no answer.
    #[error("{}{problem}", row.map(|row| format!("row {}: ", row + 1)).unwrap_or_default())]
    Answer {
        /// The row, from 0, where it is known.
        row: Option<usize>,
        /// What is wrong.
        problem: String,
    },
    /// So many rows at the same time take more memory or work than they may.
    #[error("{0}")]
    Batch(String),
    /// A row whose weighted sum is not a finite number.
    #[error("the numbers of row {} are so large, or no numbers, that nothing can be predicted from them", row + 1)]
    Overflow {
        /// The row, from 0.
        row: usize,
    },
}

impl ModelError {
    /// The same of rows that so many come before.
    #[must_use]
    pub fn after(self, before: usize) -> Self {
        match self {
            Self::Overflow { row } => Self::Overflow { row: row.saturating_add(before) },
            Self::Unforeseen { row, problem } => {
                Self::Unforeseen { row: row.saturating_add(before), problem }
            }
            Self::Answer { row: Some(row), problem } => {
                Self::Answer { row: Some(row.saturating_add(before)), problem }
            }
            other => other,
        }
    }
}

impl Failure for ModelError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Artifact(error) => error.exit_code(),
            Self::Graph(error) => error.exit_code(),
            Self::Version { .. } => ExitCode::WrongSpec,
            Self::NoModel(_) | Self::TooLarge { .. } | Self::Invalid(_) => ExitCode::WrongData,
            Self::Width { .. }
            | Self::Overflow { .. }
            | Self::Unforeseen { .. }
            | Self::Answer { .. }
            | Self::Batch(_) => ExitCode::WrongData,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Artifact(error) => error.reason(),
            Self::Graph(error) => error.reason(),
            Self::NoModel(_) => "NoModel",
            Self::TooLarge { .. } | Self::Invalid(_) => "ModelInvalid",
            Self::Version { .. } => "ModelVersion",
            Self::Width { .. }
            | Self::Overflow { .. }
            | Self::Unforeseen { .. }
            | Self::Answer { .. }
            | Self::Batch(_) => "WrongFeatures",
        }
    }
}
