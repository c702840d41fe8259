//! The operator: everything that talks to the API server or reads a clock.
//!
//! Owns I/O and nothing else: it observes what [`mlpipeline_core`] decides on, and carries out what the core decided. Must not
//! decide what runs, which objects exist or what the status says.

pub mod apply;
pub mod arguments;
pub mod backoff;
mod bounded_listener;
pub mod cache;
pub mod cache_sync;
pub mod check;
pub mod client_middleware;
pub mod clock;
pub mod cluster_version;
pub mod connection;
pub mod context;
pub mod controller;
pub mod crd_file;
pub mod deserialize_guard;
pub mod election;
pub mod event_recorder;
pub mod failure;
pub mod installed_crd;
pub mod logging;
mod lost_reports;
pub mod metrics;
mod missing_permission;
mod named_claim;
pub mod observe;
pub mod operator;
mod other_installations;
mod pipelines;
pub mod probes;
pub mod publish;
pub mod rate_limiter;
pub mod reconcile;
pub mod reconcile_state;
pub mod throttle;
pub mod traces;
