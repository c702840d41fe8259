//! How often mere progress may be written to statuses, over all pipelines together.
//!
//! Where a few pipelines are active, the progress of each step is written at once. Where hundreds are, these writes would keep the
//! API server from the work itself: then the status of each pipeline waits for its turn, and has the newest state by then.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The time between two writes when more are always waiting: two a second.
const INTERVAL: Duration = Duration::from_millis(500);
/// How many writes may happen at once after a time without any.
const BURST: u32 = 20;

/// A token bucket that hands out the time of the next write.
#[derive(Debug)]
pub struct RateLimiter {
    /// When all turns that were handed out would be over at the steady rate.
    reserved_until: Mutex<Option<Instant>>,
}

impl Default for RateLimiter {
    fn default() -> Self {
        Self { reserved_until: Mutex::new(None) }
    }
}

impl RateLimiter {
    /// Reserves the next turn; when it comes, often at once.
    #[must_use]
    pub fn next_turn(&self) -> Instant {
        let now = Instant::now();
        let mut reserved_until = self.reserved_until.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = reserved_until.map_or(now, |until| until.max(now));
        *reserved_until = Some(mine + INTERVAL);
        mine.checked_sub(INTERVAL * (BURST - 1)).map_or(now, |turn| turn.max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_written_at_once_and_more_at_a_steady_rate() {
        // A clock that has run for a while, as every clock has.
        tokio::time::advance(Duration::from_secs(60)).await;
        let limiter = RateLimiter::default();
        let start = Instant::now();
        let turns: Vec<Duration> =
            (0..BURST + 3).map(|_| limiter.next_turn().duration_since(start)).collect();
        assert!(turns.iter().take(20).all(Duration::is_zero), "{turns:?}");
        assert_eq!(turns[20..], [1, 2, 3].map(|count| INTERVAL * count));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(limiter.next_turn(), Instant::now());
    }
}
