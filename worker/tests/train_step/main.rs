//! Train and score steps, and their commands, by running the worker: what is published, reported and refused.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod commands;
mod evaluation;
mod forecast;
mod hold_out;
mod refused;
mod score;
mod served;
mod steps;
mod swapped;
mod train;
mod tune;
