//! Whether the API server refuses to show a kind of object, told apart from a bad moment. Pure.

use std::time::Duration;

use tokio::time::Instant;

/// How long a refusal has to last where a complete list is known, before pipelines are held up by it. An API server that has just
/// started refuses what it allows until it has read all roles, and a token may be out of date for a moment. What is known is
/// then as old as with any watch that lags, which every look allows for; half a minute is the longest wait between two attempts.
const PATIENCE: Duration = Duration::from_secs(30);

/// A refusal that lasts, or not.
#[derive(Debug, Default)]
pub struct Refusal {
    /// Since when every attempt was refused.
    since: Option<Instant>,
    said: Option<String>,
}

impl Refusal {
    /// What the API server says, where it has refused for so long that it counts.
    #[must_use]
    pub fn said(&self) -> Option<&str> {
        self.said.as_deref()
    }

    /// Notes one refusal; whether it begins to count with this one. Without a list it counts at once: nothing is known then.
    pub fn note(&mut self, said: String, has_list: bool, now: Instant) -> bool {
        let since = *self.since.get_or_insert(now);
        if has_list && self.said.is_none() && now.saturating_duration_since(since) < PATIENCE {
            return false;
        }
        self.said.replace(said).is_none()
    }

    /// Notes that there is none any more; whether one counted.
    pub fn end(&mut self) -> bool {
        self.since = None;
        self.said.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_counts_at_once_without_a_list_and_else_when_it_lasts() {
        let start = Instant::now();
        let mut first = Refusal::default();
        assert!(first.note("no".into(), false, start));
        assert!(!first.note("still no".into(), false, start), "it is no news");
        assert_eq!(first.said(), Some("still no"));
        let mut later = Refusal::default();
        assert!(!later.note("no".into(), true, start));
        assert_eq!(later.said(), None);
        assert!(later.note("no".into(), true, start + PATIENCE));
        assert!(later.end() && !later.end());
        assert!(!later.note("no".into(), true, start + PATIENCE), "the patience begins anew");
    }
}
