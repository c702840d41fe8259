//! A reconcile that failed, and when to try again.

use std::time::Duration;

use crate::failure::Failure;

/// A reconcile that failed.
#[derive(Debug, thiserror::Error)]
#[error("{message}; retried in {} s", retry_in.as_secs())]
pub struct ReconcileError {
    /// What failed.
    pub message: String,
    /// When to try again.
    pub retry_in: Duration,
}

impl ReconcileError {
    /// The error of a failed call.
    pub(super) fn new(failure: &Failure, retry_in: Duration) -> Self {
        Self { message: format!("{}: {}", failure.object, failure.message), retry_in }
    }
}
