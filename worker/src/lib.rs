//! The worker: does one step of a pipeline, and knows nothing of Kubernetes.
//!
//! Owns the data work: reading and writing tables, training, serving and scoring, and the artifacts on storage. Must not
//! know of clusters, pods or the pipeline as a whole: all it gets is one [`mlpipeline_crds::StepSpec`].

pub mod args;
pub mod artifact;
pub mod cancellation;
mod card;
mod clock_parts;
mod column_words;
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
#[cfg(any(test, feature = "fuzz"))]
pub mod hostile_bytes;
pub mod logging;
mod memory;
pub mod model;
mod network;
pub mod onnx;
pub mod preprocess;
pub mod progress;
mod redaction;
mod rejected_model;
pub mod report;
pub mod run;
mod scratch;
mod scratch_name;
mod stderr;
pub mod step;
pub mod stores;
pub mod table;
mod until_signal;
pub mod watchdog;
mod work;

macro_rules! declare_kinds {
    ($($(#[$doc:meta])* $kind:ident($step:ident) $field:ident;)+) => {
        $(pub mod $field;)+
    };
}

// What the worker does of each kind of step has a folder here.
mlpipeline_crds::worker_actions!(declare_kinds);

pub use context::WorkContext;
