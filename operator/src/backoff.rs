//! How long to wait after a failure: longer after each, up to a limit, and with jitter.

use std::time::Duration;

/// The wait after the first failure.
const FIRST: Duration = Duration::from_secs(1);
/// The longest wait: what has failed for long is retried every few minutes.
pub const LONGEST: Duration = Duration::from_secs(300);

/// The wait after so many failures in a row. `random` is in [0, 1) and spreads it over the upper half, so that a thousand
/// pipelines that failed together do not come back together.
#[must_use]
pub fn wait(failures: u32, random: f64) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let full = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    full.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q4_the_wait_doubles_up_to_a_cap() {
        let full: Vec<u64> = (1..=11).map(|failures| wait(failures, 1.0).as_secs()).collect();
        assert_eq!(full, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(wait(u32::MAX, 1.0), LONGEST);
    }

    #[test]
    fn q4_jitter_takes_at_most_half_of_it() {
        assert_eq!(wait(4, 0.0), Duration::from_secs(4));
        assert_eq!(wait(0, 0.0), Duration::from_millis(500));
    }
}
