//! The worker: does one step of a pipeline, and knows nothing of Kubernetes.
//!
//! Owns the data work: reading and writing tables, training, serving and scoring, and the artifacts on storage. Must not
//! know of clusters, pods or the pipeline as a whole: all it gets is one [`mlpipeline_crds::StepSpec`].

pub mod args;
pub mod artifact;
pub mod cancellation;
mod card;
pub mod context;
mod continuous;
mod credentials;
mod deliver;
mod engine;
pub mod evaluation;
mod exact;
pub mod export_onnx;
pub mod failure;
pub mod features;
mod flags;
mod glob;
#[cfg(test)]
mod hostile_bytes;
pub mod import;
pub mod logging;
mod memory;
pub mod model;
mod network;
pub mod onnx;
pub mod prepare;
pub mod preprocess;
pub mod progress;
mod redaction;
pub mod report;
pub mod run;
pub mod score;
mod scratch;
pub mod serve;
mod stderr;
pub mod step;
pub mod stores;
pub mod table;
pub mod train;
mod until_signal;
pub mod watchdog;

pub use context::WorkContext;
