//! How long the API server asked its clients to wait, by `Retry-After`.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::backoff;

/// The end of the longest wait that was asked for.
#[derive(Debug, Default)]
pub struct Throttle {
    until: Mutex<Option<Instant>>,
}

impl Throttle {
    /// Notes what the API server asked for: at most the longest wait of our own.
    pub fn retry_after(&self, wait: Duration) {
        let until = Instant::now() + wait.min(backoff::LONGEST);
        let mut known = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        *known = (*known).max(Some(until));
    }

    /// How much of the wait remains.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.map(|until| until.saturating_duration_since(Instant::now())).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn q4_the_longest_wait_that_was_asked_for_counts_until_it_is_over() {
        let throttle = Throttle::default();
        assert_eq!(throttle.remaining(), Duration::ZERO);
        throttle.retry_after(Duration::from_secs(9));
        throttle.retry_after(Duration::from_secs(2));
        assert_eq!(throttle.remaining(), Duration::from_secs(9));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(throttle.remaining(), Duration::ZERO);
        throttle.retry_after(Duration::from_secs(100_000));
        assert_eq!(throttle.remaining(), backoff::LONGEST);
    }
}
