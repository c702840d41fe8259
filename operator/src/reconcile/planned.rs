//! The plan of one reconcile, and what became of it.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use mlpipeline_core::children::build;
use mlpipeline_core::pipeline::ValidatedPipeline;
use mlpipeline_core::plan::{self, Decision, Plan, Schedules, Work};
use mlpipeline_core::status;
use mlpipeline_crds::MLPipelineStatus;
use tokio::time::Instant;
use tracing::Instrument;

use super::error::ReconcileError;
use crate::apply::{Applied, apply};
use crate::context::Context;
use crate::failure::Failure;
use crate::lost_reports;
use crate::named_claim;
use crate::observe::{View, observe};
use crate::traces::spans::part;

/// A plan that was applied as far as possible.
pub(super) struct Planned {
    pipeline: ValidatedPipeline,
    view: View,
    plan: Plan,
    applied: Applied,
    /// Whether the responses to our own writes allow more: no event will ask for it.
    requeue_now: bool,
}

/// Observes, plans and applies.
///
/// # Errors
/// When a call that the plan depends on failed: then nothing was changed.
pub(super) async fn plan_and_apply(
    context: &Context,
    pipeline: ValidatedPipeline,
    now: Timestamp,
) -> Result<Planned, Failure> {
    let pipeline = named_claim::read_modes(context, pipeline).await?;
    let (mut view, mut plan) = observe_and_plan(context, &pipeline, now);
    if lost_reports::found_late(context, &pipeline, &plan).await? {
        (view, plan) = observe_and_plan(context, &pipeline, now);
    }
    let children = part("build").in_scope(|| build(&pipeline, &plan, &context.settings));
    let applied = apply(context, &pipeline, &plan, &children, &view).instrument(part("apply")).await;
    let mut requeue_now = false;
    let started = started(&plan);
    if !started.is_empty() {
        // Re-plan: responses to our own writes do not come back as watch events, and the status reports what was just started.
        (view, plan) = observe_and_plan(context, &pipeline, now);
        requeue_now = !self::started(&plan).is_subset(&started);
    }
    Ok(Planned { pipeline, view, plan, applied, requeue_now })
}

/// What exists, and what should happen.
fn observe_and_plan(context: &Context, pipeline: &ValidatedPipeline, now: Timestamp) -> (View, Plan) {
    let mut view = part("observe").in_scope(|| observe(&context.cache, pipeline));
    view.observed.default_image = Some(context.settings.worker_image.clone());
    let plan = part("plan").in_scope(|| plan::plan(pipeline, &view.observed, now, Schedules::Keep));
    (view, plan)
}

/// What a plan starts: runs, and reports to be persisted.
fn started(plan: &Plan) -> BTreeSet<String> {
    let runs = plan.steps.iter().filter(|step| step.decision == Decision::Run).map(|step| {
        let key = step.work.as_ref().and_then(|work| match work {
            Work::Once(run) => Some(format!("{}-{}-{}", run.piece.name(), run.key, run.attempt)),
            Work::Scheduled { .. } | Work::LongRunning(_) => None,
        });
        format!("{} {}", step.name, key.unwrap_or_default())
    });
    runs.chain(plan.pending_reports.iter().map(|pending_report| pending_report.run.clone())).collect()
}

impl Planned {
    /// The status of the pipeline.
    pub(super) fn status(&self, before: Option<&MLPipelineStatus>, now: Timestamp) -> MLPipelineStatus {
        let worst = self.applied.worst();
        let problem = worst.and_then(|backoff| backoff.failure.problem(backoff.failures));
        let contested = self.applied.contested.as_ref().filter(|_| !status::has_stuck_step(&self.plan));
        let problem = problem.or_else(|| contested?.problem(1));
        status::status(&self.pipeline, &self.plan, &self.view.observed, problem.as_ref(), before, now)
    }

    /// When to reconcile again although nothing changes; `delayed` is when a status that was held back is due.
    ///
    /// # Errors
    /// When a child failed in this reconcile.
    pub(super) fn requeue(
        &self,
        delayed: Option<Duration>,
        now: Timestamp,
    ) -> Result<Option<Duration>, ReconcileError> {
        let retry = self.applied.backoffs.iter().map(|backoff| backoff.until).min();
        let retry = retry.map(|until| until.saturating_duration_since(Instant::now()));
        let wake =
            self.plan.wake_at.map(|time| Duration::try_from(time.duration_since(now)).unwrap_or_default());
        let next = [delayed, self.applied.repair_in, wake, retry].into_iter().flatten().min();
        match &self.applied.failed {
            Some(failure) => Err(ReconcileError::new(failure, next.unwrap_or_default())),
            None if self.requeue_now => Ok(Some(Duration::ZERO)),
            // A write that waits since an earlier failure was not tried, and is no failure of this reconcile.
            None => Ok(next),
        }
    }
}
