//! ONNX files: their messages, and computing the graphs of files that were made elsewhere.
//!
//! Owns what is read of a file, which operators are computed and how, and the bounds of all of it: what comes from elsewhere is hostile
//! until it is read. Must not know what a model is, nor write one: that is `export_onnx`.

mod compile;
mod error;
mod graph;
mod half;
mod kind;
mod labels;
mod layout;
mod node;
mod operators;
mod problem;
mod program;
pub(crate) mod proto;
mod read_tensor;
mod scan;
mod tensor;
mod wire;
mod work;

pub use compile::{FORMAT_VERSIONS, ML_OPERATOR_VERSIONS, NODE_LIMIT, OPERATOR_VERSIONS};
pub use error::GraphError;
pub use graph::{Graph, GraphInput, GraphOutput};
pub use kind::Kind;
pub use problem::Problem;
pub use tensor::{Tensor, Values};
pub use wire::FILE_LIMIT;
pub use work::{MEMORY_LIMIT, WORK_LIMIT};

#[cfg(test)]
pub(crate) mod test_files;
#[cfg(test)]
mod tests;
