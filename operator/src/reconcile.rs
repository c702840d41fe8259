//! One look at one pipeline: validate → observe → plan → build → apply → status → publish.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::Resource;
use kube::runtime::controller::Action;
use mlpipeline_crds::MLPipelineStatus;
use tokio::time::Instant;
use tracing::{Instrument, Span};

use super::apply::{Applied, apply};
use super::blindness::blind_spot;
use super::context::Context;
use super::guarded::Guarded;
use super::lost_reports;
use super::observe::{View, observe};
use super::problem::Failure;
use super::publish;
use super::traces::spans::{self, part};
use mlpipeline_core::children::build;
use mlpipeline_core::pipeline::ValidatedPipeline;
use mlpipeline_core::plan::{self, Decision, Plan, Schedules, Work};
use mlpipeline_core::status::{self, Problem};
use mlpipeline_core::validate::{FieldError, validate};

/// The longest that one look may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A look that did not end well, and when to try again.
#[derive(Debug, thiserror::Error)]
#[error("{message}; tried again in {} s", retry_in.as_secs())]
pub struct ReconcileError {
    /// What failed.
    pub message: String,
    /// When to try again.
    pub retry_in: Duration,
}

/// Brings one pipeline nearer to what its spec asks for, and says how it stands.
///
/// # Errors
/// When a call failed for a reason that may pass; the wait grows with each failure in a row.
pub async fn reconcile(resource: Arc<Guarded>, context: Arc<Context>) -> Result<Action, ReconcileError> {
    let metadata = resource.meta();
    let uid = metadata.uid.clone().unwrap_or_default();
    if metadata.deletion_timestamp.is_some() {
        // Nothing to clean up: all children have an owner, and the garbage collector knows it.
        return Ok(Action::await_change());
    }
    let outcome = match tokio::time::timeout(TIMEOUT, look(&resource, &context)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Setback::Look(Failure::too_slow(TIMEOUT))),
    };
    let (failure, is_told) = match outcome {
        Ok(again) => {
            context.memory.with(&uid, |remembered| remembered.failures = 0);
            return Ok(again.map_or_else(Action::await_change, |after| {
                spans::requeued(&Span::current(), after);
                Action::requeue(after)
            }));
        }
        Err(Setback::Child { failure, retry_in }) => {
            context.memory.with(&uid, |remembered| remembered.failures = 0);
            return Err(ReconcileError::new(&failure, retry_in));
        }
        Err(Setback::Look(failure)) => (failure, true),
        Err(Setback::Status(failure)) => (failure, false),
    };
    let failures = context.memory.with(&uid, |remembered| {
        remembered.failures = remembered.failures.saturating_add(1);
        remembered.failures
    });
    if let Some(problem) = failure.problem(failures).filter(|_| is_told)
        && let Err(error) = hold(&resource, &context, &problem, (context.clock)()).await
    {
        tracing::debug!("{}: {}", error.object, error.message);
    }
    let retry_in = failure.wait(failures, rand::random()).max(context.pressure.left());
    Err(ReconcileError::new(&failure, retry_in))
}

/// A look that failed.
enum Setback {
    /// Before anything was done: people are told of it when it lasts.
    Look(Failure),
    /// With a child, which has a wait of its own and is told with the rest.
    Child { failure: Failure, retry_in: Duration },
    /// When the status was written, so that there is no way to tell.
    Status(Failure),
}

impl ReconcileError {
    fn new(failure: &Failure, retry_in: Duration) -> Self {
        Self { message: format!("{}: {}", failure.object, failure.message), retry_in }
    }
}

/// One look; answers when to look again although nothing happened, or what failed.
async fn look(resource: &Guarded, context: &Context) -> Result<Option<Duration>, Setback> {
    let metadata = resource.meta();
    let now = (context.clock)();
    let pipeline = match checked(resource) {
        Ok(pipeline) => pipeline,
        Err(errors) => return refuse(resource, context, &errors, now).await.map_err(Setback::Status),
    };
    if let Some(problem) = blind_spot(&context.cache, &pipeline) {
        return hold(resource, context, &problem, now).await.map_err(Setback::Status);
    }
    let (mut view, mut plan) = consider(context, &pipeline, now);
    if lost_reports::found_late(context, &pipeline, &plan).await.map_err(Setback::Look)? {
        (view, plan) = consider(context, &pipeline, now);
    }
    let mut is_overtaken = false;
    let children = part("build").in_scope(|| build(&pipeline, &plan, &context.settings));
    let applied = apply(context, &pipeline, &plan, &children, &view).instrument(part("apply")).await;
    if !plan.pending_reports.is_empty() || plan.steps.iter().any(|step| step.decision == Decision::Run) {
        // What was just begun is told as begun, and need not be told again in a moment. And what a write was answered with may
        // be news, of which the watch will not tell again.
        let done = begun(&plan);
        (view, plan) = consider(context, &pipeline, now);
        is_overtaken = !begun(&plan).is_subset(&done);
    }
    let (before, status) = standing(resource, context, &pipeline, &plan, &view, &applied, now);
    let published = publish::publish(context, metadata, before.as_ref(), status);
    let published = published.instrument(part("publish")).await;
    let next = conclude(&plan, &applied, published, now)?;
    // What the answers to our writes made possible is brought about at once: no event will ask for it.
    Ok(if is_overtaken { Some(Duration::ZERO) } else { next })
}

/// What a plan begins: runs, and reports that are to be kept.
fn begun(plan: &Plan) -> BTreeSet<String> {
    let runs = plan.steps.iter().filter(|step| step.decision == Decision::Run).map(|step| {
        let key = step.work.as_ref().and_then(|work| match work {
            Work::Once(run) => Some(format!("{}-{}", run.key, run.attempt)),
            _ => None,
        });
        format!("{} {}", step.name, key.unwrap_or_default())
    });
    runs.chain(plan.pending_reports.iter().map(|pending_report| pending_report.run.clone())).collect()
}

/// What exists, and what should happen.
fn consider(context: &Context, pipeline: &ValidatedPipeline, now: Timestamp) -> (View, Plan) {
    let view = part("observe").in_scope(|| observe(&context.cache, pipeline));
    let plan = part("plan").in_scope(|| plan::plan(pipeline, &view.observed, now, Schedules::Keep));
    (view, plan)
}

/// A spec that could be read and makes sense.
fn checked(resource: &Guarded) -> Result<ValidatedPipeline, Vec<FieldError>> {
    match &resource.0 {
        Ok(pipeline) => validate(pipeline),
        Err(invalid) => Err(vec![FieldError {
            path: "resource".to_owned(),
            problem: format!("cannot be read: {}", invalid.error),
            hint: Some("is the CustomResourceDefinition of this operator's version installed?".to_owned()),
        }]),
    }
}

/// Says what is wrong with a spec. Nothing is tried again until it changes.
async fn refuse(
    resource: &Guarded,
    context: &Context,
    errors: &[FieldError],
    now: Timestamp,
) -> Result<Option<Duration>, Failure> {
    let metadata = resource.meta();
    let before = publish::previous(context, metadata, resource.status());
    let status = status::invalid(metadata.generation, errors, before.as_ref(), now);
    publish::publish(context, metadata, before.as_ref(), status).instrument(part("publish")).await
}

/// Says what stands in the way of a look: something that may not be seen, or an API server that does not answer. The watches try
/// again by themselves, and every pipeline is looked at when they succeed.
async fn hold(
    resource: &Guarded,
    context: &Context,
    problem: &Problem,
    now: Timestamp,
) -> Result<Option<Duration>, Failure> {
    let metadata = resource.meta();
    let before = publish::previous(context, metadata, resource.status());
    let status = status::held(metadata.generation, problem, before.as_ref(), now);
    publish::publish(context, metadata, before.as_ref(), status).instrument(part("publish")).await
}

/// The status before, and the status now.
fn standing(
    resource: &Guarded,
    context: &Context,
    pipeline: &ValidatedPipeline,
    plan: &Plan,
    view: &View,
    applied: &Applied,
    now: Timestamp,
) -> (Option<MLPipelineStatus>, MLPipelineStatus) {
    let metadata = resource.meta();
    let before = publish::previous(context, metadata, resource.status());
    let problem = applied.worst().and_then(|refusal| refusal.failure.problem(refusal.failures));
    let status = status::status(pipeline, plan, &view.observed, problem.as_ref(), before.as_ref(), now);
    (before, status)
}

/// When to look again, or what failed.
fn conclude(
    plan: &Plan,
    applied: &Applied,
    published: Result<Option<Duration>, Failure>,
    now: Timestamp,
) -> Result<Option<Duration>, Setback> {
    let again = published.map_err(Setback::Status)?;
    let retry = applied.refusals.iter().map(|refusal| refusal.until).min();
    let retry = retry.map(|until| until.saturating_duration_since(Instant::now()));
    let wake = plan.wake_at.map(|time| Duration::try_from(time.duration_since(now)).unwrap_or_default());
    let next = [again, applied.look_again, wake, retry].into_iter().flatten().min();
    match &applied.failed {
        // What was refused before stands, and was not tried.
        None => Ok(next),
        Some(failure) => Err(Setback::Child { failure: failure.clone(), retry_in: next.unwrap_or_default() }),
    }
}
