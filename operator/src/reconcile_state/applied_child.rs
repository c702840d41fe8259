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
    /// Which fields the last repair was of, by their paths.
    pub repaired_fields: Vec<String>,
}

/// A child that somebody keeps changing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contested {
    /// The fields, by their paths.
    pub fields: Vec<String>,
    /// When it counts as settled, if nobody changes it again.
    pub settles_in: Duration,
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

    /// Counts a repair of these fields.
    pub fn count_repair(&mut self, now: Instant, fields: Vec<String>) {
        let is_first = self.repaired.is_none_or(|before| now.duration_since(before) > QUIET_PERIOD);
        self.repairs = if is_first { 1 } else { self.repairs.saturating_add(1) };
        self.repaired = Some(now);
        self.repaired_fields = fields;
    }

    /// Takes another hash for what is wanted: who fought about what was wanted before may have no reason any more.
    pub fn want(&mut self, hash: &str) {
        if self.hash != hash {
            (self.repairs, self.repaired) = (0, None);
            hash.clone_into(&mut self.hash);
        }
    }

    /// What somebody keeps changing, where more repairs were needed than are made without a wait.
    #[must_use]
    pub fn contested(&self, now: Instant) -> Option<Contested> {
        let settles = self.repaired.filter(|_| self.repairs > FREE_REPAIRS)? + QUIET_PERIOD;
        let settles_in = settles.checked_duration_since(now).filter(|left| !left.is_zero())?;
        Some(Contested { fields: self.repaired_fields.clone(), settles_in })
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
            child.count_repair(Instant::now(), Vec::new());
        }
        assert_eq!(child.repair_wait(Instant::now()), Some(Duration::from_secs(1)));
        child.count_repair(Instant::now(), Vec::new());
        assert_eq!(child.repair_wait(Instant::now()), Some(Duration::from_secs(2)));
        tokio::time::advance(QUIET_PERIOD + Duration::from_secs(1)).await;
        child.count_repair(Instant::now(), Vec::new());
        assert_eq!(child.repairs, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_child_that_is_wanted_otherwise_is_contested_no_longer() {
        let mut child = AppliedChild { hash: "one".to_owned(), ..AppliedChild::default() };
        (0..=FREE_REPAIRS).for_each(|_| child.count_repair(Instant::now(), Vec::new()));
        child.want("one");
        assert!(child.contested(Instant::now()).is_some());
        child.want("other");
        assert_eq!((child.contested(Instant::now()), child.hash.as_str()), (None, "other"));
    }

    #[tokio::test(start_paused = true)]
    async fn d3_a_child_is_contested_from_the_first_repair_that_had_to_wait_until_nobody_changes_it() {
        let mut child = AppliedChild::default();
        let fields = || vec![".spec.replicas".to_owned()];
        for _ in 0..FREE_REPAIRS {
            child.count_repair(Instant::now(), fields());
            assert_eq!(child.contested(Instant::now()), None);
        }
        child.count_repair(Instant::now(), fields());
        let contested = Contested { fields: fields(), settles_in: QUIET_PERIOD };
        assert_eq!(child.contested(Instant::now()), Some(contested));
        tokio::time::advance(QUIET_PERIOD).await;
        assert_eq!(child.contested(Instant::now()), None);
    }
}
