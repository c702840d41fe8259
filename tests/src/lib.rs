//! What tests across crates share: the programs under test, a real control plane, waiting for what should become true, the
//! documentation that they check, the chart before an upgrade, and the generator of the reference pages.
//!
//! Must not hold anything that a shipped program needs.

pub mod control_plane;
pub mod documentation;
pub mod older_chart;
mod process;
pub mod programs;
pub mod reference;
pub mod stores;
mod wait;

pub use wait::wait_until;
