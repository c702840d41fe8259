//! Why a model cannot be written as ONNX.

use mlpipeline_crds::ExitCode;

use crate::failure::Failure;

/// Why a model cannot be written as ONNX.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// What predicts is nothing that the operators can do.
    #[error(
        "a model of {algorithm} cannot be written as ONNX: {reason}; serve it with mlpipeline-worker serve, or train another algorithm"
    )]
    Predictor {
        /// The algorithm.
        algorithm: String,
        /// Why not.
        reason: &'static str,
    },
    /// What is done with a column is nothing that the operators can do.
    #[error(
        "the model cannot be written as ONNX: its column \"{column}\" is taken as {role}, and no standard operator {lacks}; take it as a \
         category or a target mean, or serve the model with mlpipeline-worker serve"
    )]
    Column {
        /// The column.
        column: String,
        /// What it is taken as.
        role: &'static str,
        /// What no operator does.
        lacks: &'static str,
    },
    /// A column and an output would have one name.
    #[error(
        "the model cannot be written as ONNX: its column \"{column}\" has the name of an output; rename the column in a prepare step, and train again"
    )]
    NameTaken {
        /// The column.
        column: String,
    },
    /// A column without a name.
    #[error(
        "the model cannot be written as ONNX: a column of its table has no name; name it in a prepare step, and train again"
    )]
    NoName,
    /// The empty text stands for a missing value in ONNX.
    #[error(
        "the model cannot be written as ONNX: the empty text is a category of column \"{column}\", and its values may be missing, which the empty text stands for in ONNX; replace one of them in a prepare step, and train again"
    )]
    EmptyText {
        /// The column.
        column: String,
    },
    /// More nodes of trees than readers take.
    #[error(
        "the model cannot be written as ONNX: its trees have {found} nodes and numbers, and a file holds at most {limit}; train fewer or smaller trees"
    )]
    TooLarge {
        /// Nodes and numbers of leaves.
        found: usize,
        /// The most.
        limit: usize,
    },
}

impl Failure for OnnxError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::WrongData
    }

    fn reason(&self) -> &'static str {
        "NotOnnx"
    }
}
