//! How much two statuses differ: not at all, in what people can wait a moment for, or in what they must see at once. Pure.

use mlpipeline_crds::MLPipelineStatus;
use serde_json::Value;

/// How much a status differs from the one that is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Difference {
    /// Not at all.
    None,
    /// In words, times and counts. A step that goes on quickly need not have each of them written.
    Small,
    /// In what is so: a condition, a step's state or revision, a model, an address.
    Large,
}

/// Compares what is stored with what should be.
pub(super) fn difference(stored: Option<&MLPipelineStatus>, next: &MLPipelineStatus) -> Difference {
    let Some(stored) = stored else { return Difference::Large };
    if is_same(&json(stored), &json(next)) {
        return Difference::None;
    }
    match is_same(&json(&essence(stored)), &json(&essence(next))) {
        true => Difference::Small,
        false => Difference::Large,
    }
}

/// A status without its small words.
fn essence(status: &MLPipelineStatus) -> MLPipelineStatus {
    let mut essence = status.clone();
    essence.replicas = None;
    for condition in &mut essence.conditions {
        condition.message.clear();
    }
    for step in &mut essence.steps {
        step.message = None;
        step.workload = None;
        step.started = None;
        step.finished = None;
        step.attempts = None;
    }
    essence
}

fn json(status: &MLPipelineStatus) -> Value {
    serde_json::to_value(status).unwrap_or_default()
}

/// Equality, save that numbers may differ in their last digit: they have been written and read on their way.
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
    use mlpipeline_crds::{StepKind, StepState, StepStatus};
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
            message: Some(message.into()),
            metrics: BTreeMap::from([("accuracy".into(), metric)]),
        };
        MLPipelineStatus { observed_generation: Some(1), steps: vec![step], ..MLPipelineStatus::default() }
    }

    #[test]
    fn q2_what_is_the_same_is_not_written() {
        let before = status(StepState::Done, "x", 0.1 + 0.2);
        assert_eq!(difference(Some(&before), &status(StepState::Done, "x", 0.3)), Difference::None);
        assert_eq!(difference(Some(&before), &status(StepState::Done, "y", 0.3)), Difference::Small);
        assert_eq!(difference(Some(&before), &status(StepState::Done, "x", 0.4)), Difference::Large);
        assert_eq!(difference(Some(&before), &status(StepState::Failed, "x", 0.3)), Difference::Large);
        assert_eq!(difference(None, &before), Difference::Large);
        let newer = MLPipelineStatus { observed_generation: Some(2), ..before.clone() };
        assert_eq!(difference(Some(&before), &newer), Difference::Large);
    }
}
