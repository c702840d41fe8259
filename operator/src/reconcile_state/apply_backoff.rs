//! A write that failed, and when it is tried again.

use tokio::time::Instant;

use crate::failure::{Class, Failure};

/// A write that failed.
#[derive(Clone, Debug)]
pub struct ApplyBackoff {
    /// What was to be written: a change of it is tried at once.
    pub attempted: String,
    /// Why it failed.
    pub failure: Failure,
    /// Failures in a row.
    pub failures: u32,
    /// When to try again.
    pub until: Instant,
    /// Whether everything that the spec asks for can be true without this write.
    pub is_best_effort: bool,
}

impl ApplyBackoff {
    /// Whether it is too early to try this again.
    #[must_use]
    pub fn is_active(&self, attempt: &str, now: Instant) -> bool {
        // An object that is being deleted may be gone at any moment, and its watch event has caused this reconcile.
        self.failure.class != Class::Leftover && self.attempted == attempt && now < self.until
    }
}
