//! The operator: a pure core that decides, and a thin shell that looks and acts.
//!
//! [`core`] owns every decision: what a spec means, what should run and why, which objects should exist, what the status
//! says. It has no client, clock, environment or randomness; `tests/core_is_pure.rs` holds it to that, and the laptop's runner uses
//! the very same functions.

pub mod core;
pub mod shell;
