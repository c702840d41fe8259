//! What the tests of several crates share: a real control plane, and waiting for what should become true.
//!
//! Owns the test bed. Must not hold tests of its own subject matter, nor be used by anything that ships.

// A test bed says that something is wrong by a panic, as a test does.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)]

pub mod control_plane;
mod wait;

pub use wait::wait_until;
