//! What is remembered of one child that was applied.

use std::time::Duration;

use tokio::time::Instant;

use crate::backoff;

/// How long a child must stay unchanged for its repairs to be forgotten.
const QUIET_PERIOD: Duration = Duration::from_secs(600);

/// How many repairs in a row are made without a wait.
const FREE_REPAIRS: u32 = 3;

/// What is remembered of one child that was applied.
#[derive(Clone, Debug, Default)]
pub struct AppliedChild {
    /// The hash that was applied, or found to be.
    pub hash: String,
    /// The resource version at which the child had everything that was applied.
    pub good_version: Option<String>,
    /// The drift that every apply results in, since the API server stores other values; it is left alone.
    pub accepted: Vec<String>,
    /// Repairs since the last quiet period.
    pub repairs: u32,
    /// When it was last repaired.
    pub repaired: Option<Instant>,
}

impl AppliedChild {
    /// How long a repair has to wait, where somebody keeps reverting it.
    #[must_use]
    pub fn repair_wait(&self, now: Instant) -> Option<Duration> {
        let repaired = self.repaired?;
        if self.repairs < FREE_REPAIRS {
            return None;
        }
        let due = repaired + backoff::wait(self.repairs - (FREE_REPAIRS - 1), 1.0);
        due.checked_duration_since(now).filter(|wait| !wait.is_zero())
    }

    /// Counts a repair.
    pub fn count_repair(&mut self, now: Instant) {
        let is_first = self.repaired.is_none_or(|before| now.duration_since(before) > QUIET_PERIOD);
        self.repairs = if is_first { 1 } else { self.repairs.saturating_add(1) };
        self.repaired = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_child_that_somebody_keeps_changing_is_repaired_less_and_less_often() {
        let mut child = AppliedChild::default();
        for _ in 0..FREE_REPAIRS {
            assert_eq!(child.repair_wait(Instant::now()), None);
            child.count_repair(Instant::now());
        }
        assert_eq!(child.repair_wait(Instant::now()), Some(Duration::from_secs(1)));
        child.count_repair(Instant::now());
        assert_eq!(child.repair_wait(Instant::now()), Some(Duration::from_secs(2)));
        tokio::time::advance(QUIET_PERIOD + Duration::from_secs(1)).await;
        child.count_repair(Instant::now());
        assert_eq!(child.repairs, 1);
    }
}
