//! How often news of mere progress may be written, over all pipelines together.
//!
//! Where a few pipelines are at work, every step of each is told at once. Where hundreds are, they would keep the API server from
//! the work itself: then each pipeline's news waits for its turn, and tells the newest state when that comes.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The time between two writes when there are always more to come: two a second.
const INTERVAL: Duration = Duration::from_millis(500);
/// So many writes may come at once after a time without any.
const BURST: u32 = 20;

/// Gives out turns.
#[derive(Debug)]
pub struct Budget {
    /// When all turns that were given out would have been taken at the steady pace.
    taken_until: Mutex<Option<Instant>>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { taken_until: Mutex::new(None) }
    }
}

impl Budget {
    /// Takes the next turn, and answers when it comes: often at once.
    #[must_use]
    pub fn next_turn(&self) -> Instant {
        let now = Instant::now();
        let mut taken_until = self.taken_until.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = taken_until.map_or(now, |until| until.max(now));
        *taken_until = Some(mine + INTERVAL);
        mine.checked_sub(INTERVAL * (BURST - 1)).map_or(now, |turn| turn.max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_written_at_once_and_more_at_a_steady_pace() {
        // A clock that has run for a while, as every clock has.
        tokio::time::advance(Duration::from_secs(60)).await;
        let budget = Budget::default();
        let start = Instant::now();
        let turns: Vec<Duration> = (0..BURST + 3).map(|_| budget.next_turn().duration_since(start)).collect();
        assert!(turns.iter().take(20).all(Duration::is_zero), "{turns:?}");
        assert_eq!(turns[20..], [1, 2, 3].map(|count| INTERVAL * count));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(budget.next_turn(), Instant::now());
    }
}
