//! The status of a pipeline that nothing can be done for, and of which nothing is read meanwhile.

use jiff::Timestamp;
use mlpipeline_crds::MLPipelineStatus;

use super::conditions::{
    self, MESSAGE_LIMIT, READY, RECONCILING, SERVING, STALLED, SUSPENDED, Statement, shorten,
};
use super::{Problem, statement, suspended};
use crate::validate::FieldError;

/// The status of a spec that makes no sense. What is known of steps and models from before is kept: they still exist. `suspend` is what
/// the spec asks for, where that can be read.
#[must_use]
pub fn invalid(
    generation: Option<i64>,
    suspend: Option<bool>,
    errors: &[FieldError],
    previous: Option<&MLPipelineStatus>,
    now: Timestamp,
) -> MLPipelineStatus {
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let problem = Problem {
        reason: "InvalidSpec".to_owned(),
        message: shorten(&texts.join("; "), MESSAGE_LIMIT),
        transient: false,
    };
    held(generation, suspend, &problem, previous, now)
}

/// The status of a pipeline that nothing can be done for: until somebody fixes something or, where that may pass, for the moment.
/// What is known from before is kept, except in conditions, which say what is true now.
#[must_use]
pub fn held(
    generation: Option<i64>,
    suspend: Option<bool>,
    problem: &Problem,
    previous: Option<&MLPipelineStatus>,
    now: Timestamp,
) -> MLPipelineStatus {
    let (reason, message) = (problem.reason.as_str(), problem.message.as_str());
    let before = previous.cloned().unwrap_or_default();
    let mut statements = match problem.transient {
        true => {
            vec![statement(RECONCILING, true, reason, message), statement(STALLED, false, "NotStalled", "")]
        }
        false => vec![
            statement(RECONCILING, false, "Stalled", "nothing is done until this is fixed"),
            statement(STALLED, true, reason, message),
        ],
    };
    statements.push(statement(READY, false, reason, message));
    let known = |kind: &str| before.conditions.iter().find(|condition| condition.type_ == kind);
    let unknown = |kind: &'static str, what: &str| Statement {
        kind,
        holds: None,
        reason: reason.to_owned(),
        message: format!("{what}: {message}"),
    };
    // Pods may come and go meanwhile.
    statements.extend(known(SERVING).map(|_| unknown(SERVING, "the pods are not looked at")));
    let was = known(SUSPENDED).map(|known| known.status.as_str());
    statements.push(match (suspend, was) {
        // It is carried out as before, or there is nothing yet that could run.
        (Some(true), Some("True")) | (Some(false), Some("False") | None) => {
            suspended(suspend.unwrap_or_default())
        }
        (Some(true), _) => unknown(SUSPENDED, "spec.suspend is set, and cannot be carried out"),
        (Some(false), _) => unknown(SUSPENDED, "spec.suspend is not set, and nothing resumes"),
        (None, _) => unknown(SUSPENDED, "spec.suspend cannot be read"),
    });
    MLPipelineStatus {
        observed_generation: generation,
        conditions: conditions::conditions(statements, &before.conditions, generation, now),
        ..before
    }
}
