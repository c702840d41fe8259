//! Waiting for a condition, with a message that says what was seen when it never came.

// A test bed says that something is wrong by a panic, as a test does.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)]

use std::time::{Duration, Instant};

/// How long to rest between two looks: far below what a person notices, far above what a look costs.
const PAUSE: Duration = Duration::from_millis(25);

/// Looks again and again until `condition` gives a value, and returns it.
///
/// The error of the condition says what was seen in place of what is waited for.
///
/// # Panics
/// When `timeout` is over: with `what` was waited for, and what was seen last.
pub async fn wait_until<T>(
    what: &str,
    timeout: Duration,
    mut condition: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let end = Instant::now() + timeout;
    let mut seen = "nothing: the first look did not end".to_owned();
    loop {
        let left = end.saturating_duration_since(Instant::now());
        match tokio::time::timeout(left, condition()).await {
            Ok(Ok(value)) => return value,
            Ok(Err(now)) => seen = now,
            Err(_) => {}
        }
        assert!(Instant::now() + PAUSE < end, "waited {timeout:?} in vain for: {what}\n  seen last: {seen}");
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waiting_ends_with_the_value_of_the_first_look_that_has_one() {
        let mut looks = 0;
        let value = wait_until("the third look", Duration::from_secs(10), async || {
            looks += 1;
            if looks == 3 { Ok(looks) } else { Err(format!("look {looks}")) }
        });
        assert_eq!(value.await, 3);
    }

    #[tokio::test]
    #[should_panic(expected = "in vain for: a green light\n  seen last: a red one")]
    async fn waiting_in_vain_says_what_was_seen_last() {
        wait_until("a green light", Duration::from_millis(60), async || Err::<(), _>("a red one".into()))
            .await;
    }

    #[tokio::test]
    #[should_panic(expected = "seen last: nothing")]
    async fn a_look_that_never_ends_is_cut_off() {
        wait_until("an end", Duration::from_millis(60), async || std::future::pending().await).await
    }
}
