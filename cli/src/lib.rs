//! The `kubectl-mlpipeline` command.
//!
//! Owns what a person meets at the terminal: reading manifests, showing what would run, and running pipelines on this
//! machine. Must not decide what runs: [`mlpipeline_operator::core`] does, here and in a cluster alike.

pub mod manifest;
pub mod state;
pub mod local;
