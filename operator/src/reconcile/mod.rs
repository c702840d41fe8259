//! One reconcile of one pipeline: observe → plan → apply → status → publish.

mod error;
mod outcome;
mod planned;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::Resource;
use kube::runtime::controller::Action;
use mlpipeline_core::pipeline::ValidatedPipeline;
use mlpipeline_core::validate::{FieldError, spec_too_large, validate};
use tracing::{Instrument, Span};

use self::outcome::Outcome;
use self::planned::plan_and_apply;
use super::context::Context;
use super::deserialize_guard::{DeserializeGuard, Unreadable};
use super::failure::Failure;
use super::missing_permission::missing_permission;
use super::publish;
use super::reconcile_state::ReconcileState;
use super::traces::spans::{self, part};

pub use self::error::ReconcileError;

/// The longest that a reconcile may take until its status is known.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Brings one pipeline closer to what its spec asks for, and publishes its status.
///
/// # Errors
/// When a call failed for a reason that may pass; the wait grows with each failure in a row.
pub async fn reconcile(
    resource: Arc<DeserializeGuard>,
    context: Arc<Context>,
) -> Result<Action, ReconcileError> {
    if resource.meta().deletion_timestamp.is_some() {
        // Nothing to clean up: all children have an owner, and the garbage collector removes them.
        return Ok(Action::await_change());
    }
    let now = (context.clock)();
    let uid = resource.meta().uid.clone().unwrap_or_default();
    let outcome = tokio::time::timeout(TIMEOUT, observe_plan_apply(&resource, &context, now)).await;
    let outcome = outcome.unwrap_or_else(|_| Outcome::Failed(Failure::too_slow(TIMEOUT)));
    let failures = match &outcome {
        Outcome::Failed(_) => context.states.with(&uid, ReconcileState::count_failure),
        Outcome::Invalid(_) | Outcome::Blocked(_) | Outcome::Planned(_) => 0,
    };
    let published = publish(&resource, &context, &outcome, failures, now).await;
    let requeue = outcome.requeue(published, failures, &context, &uid, now)?;
    Ok(requeue.map_or_else(Action::await_change, |after| {
        spans::requeued(&Span::current(), after);
        Action::requeue(after)
    }))
}

/// Everything before the status.
async fn observe_plan_apply(resource: &Arc<DeserializeGuard>, context: &Context, now: Timestamp) -> Outcome {
    let spec = Arc::clone(resource);
    // Not where probes are answered and the lease is renewed: somebody may have made the spec as slow to check as one can be.
    let pipeline = match tokio::task::spawn_blocking(move || validated(&spec)).await {
        Ok(Ok(pipeline)) => pipeline,
        Ok(Err(errors)) => return Outcome::Invalid(errors),
        Err(stopped) => return Outcome::Failed(Failure::unchecked(&stopped)),
    };
    if let Some(problem) = missing_permission(&context.cache, &pipeline) {
        return Outcome::Blocked(problem);
    }
    match plan_and_apply(context, pipeline, now).await {
        Ok(planned) => Outcome::Planned(Box::new(planned)),
        Err(failure) => Outcome::Failed(failure),
    }
}

/// The pipeline, where its resource can be decoded and its spec is valid.
fn validated(resource: &DeserializeGuard) -> Result<ValidatedPipeline, Vec<FieldError>> {
    match resource.pipeline() {
        Ok(pipeline) => validate(&pipeline),
        Err(Unreadable::TooLarge(bytes)) => {
            Err(vec![FieldError { path: "spec".to_owned(), problem: spec_too_large(bytes), hint: None }])
        }
        Err(invalid) => Err(vec![FieldError {
            path: "resource".to_owned(),
            problem: format!("cannot be read: {invalid}"),
            hint: Some("is the CustomResourceDefinition of this operator's version installed?".to_owned()),
        }]),
    }
}

/// Publishes the status of an outcome; when to come back for what the rate limiter delays.
async fn publish(
    resource: &DeserializeGuard,
    context: &Context,
    outcome: &Outcome,
    failures: u32,
    now: Timestamp,
) -> Result<Option<Duration>, Failure> {
    let metadata = resource.meta();
    let before = publish::previous(context, metadata, resource.status());
    let suspend = || Some(resource.pipeline().ok()?.spec.suspend.unwrap_or_default());
    let Some(status) = outcome.status(metadata.generation, suspend, failures, before.as_ref(), now) else {
        return Ok(None);
    };
    publish::publish(context, metadata, before.as_ref(), status).instrument(part("publish")).await
}
