//! What tests across crates share: the programs under test, a real control plane, waiting for what should become true, the
//! documentation that they check, and the generator of its reference pages.
//!
//! Must not hold anything that a shipped program needs.

pub mod control_plane;
pub mod documentation;
mod process;
pub mod programs;
pub mod reference;
pub mod stores;
mod wait;

pub use wait::wait_until;
