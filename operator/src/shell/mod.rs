//! The thin shell: everything that talks to the API server or reads a clock.
//!
//! Owns I/O and nothing else: it gathers what the core decides on, and brings about what the core decided.

pub mod apply;
pub mod arguments;
pub mod backoff;
mod blindness;
pub mod cache;
pub mod calls;
mod clock_jumps;
pub mod context;
pub mod controller;
pub mod crd_file;
pub mod election;
pub mod gather;
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
