//! Conditions as kstatus reads them: set in one place, with the clock given, and moved only by a change of status.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// Everything that the spec asks for is true.
pub const READY: &str = "Ready";
/// Work is being done, or waited for, to make it true.
pub const RECONCILING: &str = "Reconciling";
/// It will not become true unless somebody changes something.
pub const STALLED: &str = "Stalled";
/// Pods answer predictions.
pub const SERVING: &str = "Serving";
/// The pipeline is held back by `suspend`.
pub const SUSPENDED: &str = "Suspended";

/// The longest message of a condition, and of a step, in characters.
pub(super) const MESSAGE_LIMIT: usize = 1024;

/// What one condition should say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) kind: &'static str,
    /// `None` where it is not known.
    pub(super) holds: Option<bool>,
    pub(super) reason: String,
    pub(super) message: String,
}

/// The conditions for these statements. One whose status is as before keeps its time; those that no statement is about go.
pub(super) fn conditions(
    statements: Vec<Statement>,
    previous: &[Condition],
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    let condition = |statement: Statement| {
        let status = match statement.holds {
            Some(true) => "True",
            Some(false) => "False",
            None => "Unknown",
        };
        let before = previous.iter().find(|before| before.type_ == statement.kind && before.status == status);
        Condition {
            type_: statement.kind.to_owned(),
            status: status.to_owned(),
            reason: reason(&statement.reason),
            message: shorten(&statement.message, MESSAGE_LIMIT),
            observed_generation: generation,
            last_transition_time: before
                .map_or(Time(whole_seconds(now)), |before| before.last_transition_time.clone()),
        }
    };
    statements.into_iter().map(condition).collect()
}

/// Kubernetes keeps times of objects to the second; anything finer would differ from what comes back, and be written again.
pub(super) fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// A reason that the API server takes: a word of letters, digits and a few signs, a letter first.
fn reason(text: &str) -> String {
    let word: String = text
        .chars()
        .filter(|character| character.is_ascii_alphanumeric())
        .skip_while(|character| !character.is_ascii_alphabetic())
        .take(128)
        .collect();
    if word.is_empty() { "Unknown".to_owned() } else { word }
}

/// Text of at most this many characters, which shows that it was cut.
pub(super) fn shorten(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(holds: bool) -> Statement {
        Statement { kind: READY, holds: Some(holds), reason: "Because".into(), message: String::new() }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn s6_the_transition_time_moves_only_with_the_status() {
        let first = conditions(vec![ready(false)], &[], Some(1), at(10));
        let same = conditions(vec![ready(false)], &first, Some(2), at(20));
        assert_eq!(same[0].last_transition_time, first[0].last_transition_time);
        assert_eq!(same[0].observed_generation, Some(2));
        let changed = conditions(vec![ready(true)], &same, Some(2), at(30));
        assert_eq!(changed[0].last_transition_time, Time(at(30)));
    }

    #[test]
    fn reasons_and_messages_are_bounded_and_of_the_form_that_the_api_server_takes() {
        assert_eq!(reason("9 lives: é"), "lives");
        assert_eq!(reason("…"), "Unknown");
        assert_eq!(shorten(&"é".repeat(5000), 10).chars().count(), 10);
    }
}
