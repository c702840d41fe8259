//! Continuous steps: each file once, whatever is killed when, and beside whatever other files.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "../receiver/mod.rs"]
mod receiver;
#[path = "../support/mod.rs"]
mod support;

mod delivery;
mod files;
mod kills;
mod put_back;
mod steps;
