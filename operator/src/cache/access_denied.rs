//! Whether the API server denies access to a kind of object, in contrast to a short outage. Pure.

use std::time::Duration;

use tokio::time::Instant;

/// How long a denial has to last where a complete list is known, before it blocks pipelines. An API server that has just started
/// denies what it allows until it has read all roles, and a token may be out of date for a moment. Until then the known list is
/// as old as with any watch that lags, which every reconcile allows for; half a minute is the longest wait between two attempts.
const GRACE: Duration = Duration::from_secs(30);

/// A denial that lasts, or none.
#[derive(Debug, Default)]
pub struct AccessDenied {
    /// Since when every attempt was denied.
    since: Option<Instant>,
    message: Option<String>,
}

impl AccessDenied {
    /// The API server's message, where the denial has lasted long enough to count.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Notes one denial; whether it starts to count with this one. Without a list it counts at once: nothing is known then.
    pub fn note(&mut self, message: String, has_list: bool, now: Instant) -> bool {
        let since = *self.since.get_or_insert(now);
        if has_list && self.message.is_none() && now.saturating_duration_since(since) < GRACE {
            return false;
        }
        self.message.replace(message).is_none()
    }

    /// Notes that access is allowed; whether a denial counted before.
    pub fn end(&mut self) -> bool {
        self.since = None;
        self.message.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_counts_at_once_without_a_list_and_else_when_it_lasts() {
        let start = Instant::now();
        let mut first = AccessDenied::default();
        assert!(first.note("no".into(), false, start));
        assert!(!first.note("still no".into(), false, start), "it is not new");
        assert_eq!(first.message(), Some("still no"));
        let mut later = AccessDenied::default();
        assert!(!later.note("no".into(), true, start));
        assert_eq!(later.message(), None);
        assert!(later.note("no".into(), true, start + GRACE));
        assert!(later.end() && !later.end());
        assert!(!later.note("no".into(), true, start + GRACE), "the grace period starts again");
    }
}
