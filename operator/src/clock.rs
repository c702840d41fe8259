//! The clock, and when it jumps: somebody set it, or the machine slept. What is due is then due at another moment than was
//! computed, and every pipeline is reconciled.

use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, stream};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Returns the time of day. A test has its own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How often the clock is compared with the time that has passed.
const INTERVAL: Duration = Duration::from_secs(30);
/// What is not a jump: a clock that is kept right moves by less within an interval.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(2);

/// An item whenever the clock is found to have jumped.
pub fn clock_jumps(clock: Clock) -> impl Stream<Item = ()> {
    stream::unfold(clock, async |clock| {
        loop {
            let (time, moment) = (clock(), Instant::now());
            tokio::time::sleep(INTERVAL).await;
            if has_jumped(clock().duration_since(time), moment.elapsed()) {
                tracing::debug!(now = %clock(), "the clock jumped, all pipelines are reconciled");
                return Some(((), clock));
            }
        }
    })
}

/// Whether the clock moved by another duration than has passed.
fn has_jumped(by_clock: SignedDuration, passed: Duration) -> bool {
    let passed = SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX);
    by_clock.saturating_sub(passed).abs() > TOLERANCE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_kept_right_has_not_jumped_and_one_that_was_set_has() {
        let passed = Duration::from_secs(30);
        for (by_clock, expected) in
            [(30, false), (31, false), (28, false), (33, true), (-3570, true), (90_030, true)]
        {
            assert_eq!(has_jumped(SignedDuration::from_secs(by_clock), passed), expected, "{by_clock}");
        }
    }
}
