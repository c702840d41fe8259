//! The pure core: validate → plan → build → status.
//!
//! Everything here is a function of its arguments. It must not do I/O, read a clock or the environment, or draw randomness.

pub mod artifact_place;
pub mod canonical;
pub mod change;
pub mod child_kind;
pub mod children;
pub mod credentials;
mod cron_fields;
pub mod decision;
pub mod duration;
pub mod execution_settings;
pub mod fingerprint;
pub mod format;
pub mod labels;
pub mod names;
pub mod notes;
pub mod observation;
pub mod observed;
pub mod piece;
pub mod pipeline;
pub mod plan;
mod pod_labels;
pub mod quantity;
pub mod quoted;
pub mod reason;
pub mod schedule;
mod shared_node;
pub mod status;
pub mod step_kind;
mod step_node;
pub mod storage;
pub mod template_version;
pub mod tracks;
pub mod validate;
