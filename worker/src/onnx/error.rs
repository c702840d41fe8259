//! Why a file is not a graph that can be computed.

use mlpipeline_crds::ExitCode;

use super::wire::FILE_LIMIT;
use crate::failure::Failure;

/// What to do about an operator that is not computed.
const ADVICE: &str = "what is computed are the operators of classical models and of dense networks, of ai.onnx and ai.onnx.ml; serve this model in a \
     run step with a runtime of its own, or export one without this operator";

/// Why a file is not a graph that can be computed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// It is too large.
    #[error("the ONNX file has {found} bytes, and at most {FILE_LIMIT} are read; export a smaller model")]
    TooLarge {
        /// Its size.
        found: u64,
    },
    /// It would take too much memory.
    #[error(
        "the ONNX file's lists and nodes take about {found} bytes in memory, and at most {limit} are taken; export a smaller model"
    )]
    Expands {
        /// About how many bytes.
        found: u64,
        /// The most.
        limit: u64,
    },
    /// It is no ONNX.
    #[error("not a whole ONNX file: {0}; export the model again")]
    Malformed(String),
    /// It is of a version that is not read.
    #[error(
        "the ONNX file is of {what} {found}, and versions {oldest} to {newest} are read; export it with target_opset within them"
    )]
    Version {
        /// Of what it is the version.
        what: String,
        /// The version.
        found: i64,
        /// The oldest.
        oldest: i64,
        /// The newest.
        newest: i64,
    },
    /// An operator that is not computed.
    #[error("{place} is not computed{domain}; {ADVICE}")]
    Operator {
        /// The node and its operator.
        place: String,
        /// Whose operator it is, where it is no standard one.
        domain: String,
    },
    /// The graph is wrong, or asks for what is not computed.
    #[error("the ONNX graph cannot be computed: {0}")]
    Graph(String),
}

impl Failure for GraphError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::WrongData
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } | Self::Expands { .. } | Self::Malformed(_) => "OnnxInvalid",
            Self::Version { .. } => "OnnxVersion",
            Self::Operator { .. } | Self::Graph(_) => "OnnxNotComputed",
        }
    }
}
