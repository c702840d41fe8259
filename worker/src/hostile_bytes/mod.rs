//! Bytes from elsewhere, changed: whatever they are, the answer is a value or an error for people, never a panic and never an error of
//! this program.
//!
//! Owns the list of what reads such bytes ([`TARGETS`]). Tests change good ones at random; `make fuzz` has libFuzzer change them, which sees
//! what of our code each change reaches. Of the program that users run nothing here is a part.
#![allow(clippy::expect_used, reason = "a finding is a panic, here as in any test")]

#[cfg(test)]
mod answers;
#[cfg(test)]
mod change;
#[cfg(test)]
mod changed_at_random;
mod good_files;
mod targets;

pub use targets::{TARGETS, Target};
