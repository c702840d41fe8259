//! Train and score steps, and their commands, by running the worker: what is published, reported and refused.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod commands;
mod refused;
mod score;
mod steps;
mod train;
