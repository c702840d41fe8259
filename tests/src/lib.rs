//! What tests across crates share: the programs under test, the documentation that they check, and the generator of its
//! reference pages.
//!
//! Must not hold anything that a shipped program needs.

pub mod documentation;
pub mod programs;
pub mod reference;
