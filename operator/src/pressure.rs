//! How long the API server asked everybody to wait, by `Retry-After`.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The longest wait that is believed.
const LONGEST: Duration = Duration::from_secs(300);

/// The end of the wait that was asked for last.
#[derive(Debug, Default)]
pub struct Pressure {
    until: Mutex<Option<Instant>>,
}

impl Pressure {
    /// Notes what the API server asked for.
    pub fn ask(&self, wait: Duration) {
        let until = Instant::now() + wait.min(LONGEST);
        let mut known = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        *known = (*known).max(Some(until));
    }

    /// How much of the wait is left.
    #[must_use]
    pub fn left(&self) -> Duration {
        let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.map(|until| until.saturating_duration_since(Instant::now())).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn q4_the_longest_wait_that_was_asked_for_counts_until_it_is_over() {
        let pressure = Pressure::default();
        assert_eq!(pressure.left(), Duration::ZERO);
        pressure.ask(Duration::from_secs(9));
        pressure.ask(Duration::from_secs(2));
        assert_eq!(pressure.left(), Duration::from_secs(9));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(pressure.left(), Duration::ZERO);
        pressure.ask(Duration::from_secs(100_000));
        assert_eq!(pressure.left(), LONGEST);
    }
}
