//! What tests across crates share: the programs under test, a real control plane, waiting for what should become true, the
//! documentation that they check, and the generator of its reference pages.
//!
//! Must not hold anything that a shipped program needs.

// A test bed says that something is wrong by a panic, as a test does.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)]

pub mod control_plane;
pub mod documentation;
pub mod programs;
pub mod reference;
mod wait;

pub use wait::wait_until;
