//! How much two statuses differ: not at all, in what people can wait for, or in what they must see at once. Pure.

use mlpipeline_core::reason::general::IN_PROGRESS;
use mlpipeline_crds::{MLPipelineStatus, StepState};
use serde::Deserialize;
use serde_json::Value;

/// How much a status differs from the one that is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Difference {
    /// Not at all.
    None,
    /// In messages, times and counts. A step that proceeds quickly need not have each of them written.
    Small,
    /// In how far a pipeline has come whose steps wait, run or are done, before and after.
    Progress,
    /// In what matters: a condition, a step that failed or serves, a model, an address.
    Large,
}

/// Compares what is stored with what should be.
pub(super) fn difference(stored: Option<&MLPipelineStatus>, next: &MLPipelineStatus) -> Difference {
    let Some(stored) = stored else { return Difference::Large };
    if stored == next {
        return Difference::None;
    }
    let (mut stored, mut next) = (json(stored), json(next));
    if is_same(&stored, &next) {
        return Difference::None;
    }
    for status in [&mut stored, &mut next] {
        drop_details(status);
    }
    if is_same(&stored, &next) {
        return Difference::Small;
    }
    for status in [&mut stored, &mut next] {
        drop_progress(status);
    }
    match is_same(&stored, &next) {
        true => Difference::Progress,
        false => Difference::Large,
    }
}

/// Drops messages, times and counts.
fn drop_details(status: &mut Value) {
    remove(status, &["replicas"]);
    for condition in all(status, "conditions") {
        remove(condition, &["message"]);
    }
    for step in all(status, "steps") {
        remove(step, &["message", "workload", "started", "finished", "attempts"]);
    }
}

/// Drops what a pipeline in progress may report a little later: which steps wait, run or are done.
fn drop_progress(status: &mut Value) {
    remove(status, &["progress"]);
    for condition in all(status, "conditions") {
        let reason = condition.get("reason").and_then(Value::as_str);
        if reason.is_some_and(|reason| IN_PROGRESS.contains(&reason)) {
            remove(condition, &["reason"]);
        }
    }
    for step in all(status, "steps") {
        let state = step.get("state").and_then(|state| StepState::deserialize(state).ok());
        if matches!(state, Some(StepState::Waiting | StepState::Running | StepState::Done)) {
            remove(step, &["state", "revision", "metrics"]);
        }
    }
}

fn all<'a>(status: &'a mut Value, list: &str) -> impl Iterator<Item = &'a mut Value> {
    status.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten()
}

fn remove(object: &mut Value, fields: &[&str]) {
    for field in fields {
        object.as_object_mut().and_then(|object| object.remove(*field));
    }
}

fn json(status: &MLPipelineStatus) -> Value {
    serde_json::to_value(status).unwrap_or_default()
}

/// Equality, except that numbers may differ in their last digit: they were serialised and parsed.
fn is_same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| is_same(value, other)))
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| is_same(left, right))
        }
        (Value::Number(left), Value::Number(right)) => match (left.as_f64(), right.as_f64()) {
            (Some(left), Some(right)) => {
                (left - right).abs() <= f64::EPSILON * 4.0 * left.abs().max(right.abs())
            }
            _ => left == right,
        },
        _ => left == right,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mlpipeline_crds::{StepKind, StepStatus};
    use std::collections::BTreeMap;

    fn status(state: StepState, message: &str, metric: f64) -> MLPipelineStatus {
        let step = StepStatus {
            name: "train".into(),
            kind: StepKind::Train,
            state,
            revision: None,
            workload: None,
            started: None,
            finished: None,
            attempts: None,
            replaced_runs: None,
            message: Some(message.into()),
            metrics: BTreeMap::from([("accuracy".into(), metric)]),
        };
        MLPipelineStatus { observed_generation: Some(1), steps: vec![step], ..MLPipelineStatus::default() }
    }

    #[test]
    fn steps_that_begin_and_end_are_progress_and_a_new_condition_is_more() {
        use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
        let on_its_way = |state, progress: &str, ready: &str, reason: &str| MLPipelineStatus {
            progress: Some(progress.into()),
            conditions: vec![Condition {
                type_: "Ready".into(),
                status: ready.into(),
                reason: reason.into(),
                message: progress.into(),
                observed_generation: None,
                last_transition_time: Time(jiff::Timestamp::UNIX_EPOCH),
            }],
            ..status(state, "", 0.5)
        };
        let before = on_its_way(StepState::Running, "0/2", "False", "Running");
        let table = [
            (on_its_way(StepState::Done, "1/2", "False", "Running"), Difference::Progress),
            (on_its_way(StepState::Done, "1/2", "False", "Waiting"), Difference::Progress),
            (on_its_way(StepState::Done, "2/2", "True", "Done"), Difference::Large),
            (on_its_way(StepState::Failed, "0/2", "False", "Running"), Difference::Large),
            (on_its_way(StepState::Running, "0/2", "False", "ImagePullBackOff"), Difference::Large),
        ];
        for (next, expected) in table {
            assert_eq!(difference(Some(&before), &next), expected, "{next:?}");
        }
    }

    #[test]
    fn q2_what_is_the_same_is_not_written() {
        let before = status(StepState::Done, "x", 0.1 + 0.2);
        assert_eq!(difference(Some(&before), &status(StepState::Done, "x", 0.3)), Difference::None);
        assert_eq!(difference(Some(&before), &status(StepState::Done, "y", 0.3)), Difference::Small);
        assert_eq!(difference(Some(&before), &status(StepState::Serving, "x", 0.3)), Difference::Large);
        assert_eq!(difference(Some(&before), &status(StepState::Failed, "x", 0.3)), Difference::Large);
        assert_eq!(difference(None, &before), Difference::Large);
        let newer = MLPipelineStatus { observed_generation: Some(2), ..before.clone() };
        assert_eq!(difference(Some(&before), &newer), Difference::Large);
    }
}
