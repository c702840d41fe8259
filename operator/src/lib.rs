//! The operator: everything that talks to the API server or reads a clock.
//!
//! Owns I/O and nothing else: it gathers what [`mlpipeline_core`] decides on, and carries out what the core decided. Must not decide
//! what runs, which objects exist or what the status says.

pub mod apply;
pub mod arguments;
pub mod backoff;
mod blindness;
pub mod cache;
pub mod calls;
pub mod check;
mod clock_jumps;
pub mod context;
pub mod controller;
pub mod crd_file;
pub mod election;
pub mod guarded;
pub mod installed_crd;
pub mod logging;
mod lost_reports;
pub mod memory;
pub mod metrics;
pub mod observe;
pub mod operator;
pub mod pressure;
pub mod probes;
pub mod problem;
pub mod publish;
pub mod reconcile;
pub mod sight;
pub mod traces;
