//! Whether a time of a schedule was missed, as the CronJob controller decides it in a cluster.

use jiff::Timestamp;

/// Whether the run that was due must not start any more: this machine slept or was busy for longer than the schedule's
/// `startingDeadlineSeconds`. Without that field no time is missed.
pub(super) fn is_missed(due: Timestamp, now: Timestamp, starting_deadline_seconds: Option<i64>) -> bool {
    starting_deadline_seconds.is_some_and(|seconds| now.as_second() - due.as_second() > seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_missed_once_its_starting_deadline_is_over() {
        let at = |seconds| Timestamp::from_second(seconds).expect("a time");
        let rows =
            [(100, Some(10), false), (110, Some(10), false), (111, Some(10), true), (9000, None, false)];
        for (now, deadline, expected) in rows {
            assert_eq!(is_missed(at(100), at(now), deadline), expected, "at {now} with {deadline:?}");
        }
    }
}
