//! Applies what was built: the only writer of children.
//!
//! Jobs are created by a name that says what they do, and never changed. All other kinds are applied by server-side apply, and only
//! where they differ from what they should be. Nothing is ever written to an object that is not this pipeline's.

mod children;
mod desired;
mod drift;
mod fixed_fields;
mod jobs;
mod kept_claim;
mod orphans;
mod preconditions;
mod stuck_set;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::Duration;

use tokio::time::Instant;

use super::context::Context;
use super::failure::{Class, Failure};
use super::observe::{View, object_name};
use super::reconcile_state::ApplyBackoff;
use mlpipeline_core::child_kind::Child;
use mlpipeline_core::pipeline::ValidatedPipeline;
use mlpipeline_core::plan::Plan;

use self::desired::Desired;

/// Whether everything that the spec asks for can be true without a write. Where a report cannot be persisted with its Job, a run
/// whose pod goes before its report was read runs once more, and fails when that happens again and again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Importance {
    Required,
    BestEffort,
}

/// What became of the children.
#[derive(Debug, Default)]
pub struct Applied {
    /// Writes that failed, in this reconcile or in an earlier one.
    pub backoffs: Vec<ApplyBackoff>,
    /// When to reconcile again although nothing failed: a repair that waits, since somebody keeps reverting it.
    pub repair_in: Option<Duration>,
    /// What failed first in this reconcile, in contrast to an earlier one.
    pub failed: Option<Failure>,
    /// A child that somebody keeps changing, as a failure to report: no write of it failed.
    pub contested: Option<Failure>,
    tried: BTreeSet<String>,
}

impl Applied {
    /// Notes a child that somebody keeps changing, and when it counts as settled.
    fn contest(&mut self, contested: Option<(Failure, Duration)>) {
        if let Some((failure, settles_in)) = contested {
            self.contested.get_or_insert(failure);
            self.repair_in = self.repair_in.into_iter().chain([settles_in]).min();
        }
    }

    /// The failed write that is reported first.
    #[must_use]
    pub fn worst(&self) -> Option<&ApplyBackoff> {
        let required = self.backoffs.iter().filter(|backoff| !backoff.is_best_effort);
        required.max_by_key(|backoff| backoff.failure.class)
    }
}

/// Creates, applies and deletes, in the order of dependency.
pub async fn apply(
    context: &Context,
    pipeline: &ValidatedPipeline,
    plan: &Plan,
    children: &[Child],
    view: &View,
) -> Applied {
    let mut pass = Pass { context, pipeline, applied: Applied::default() };
    if pass.all(plan, children, view).await.is_continue() {
        let tried = std::mem::take(&mut pass.applied.tried);
        let applied = view.applied.iter().map(|found| found.metadata());
        let runs = view.runs.iter().map(|job| &job.metadata);
        let exist = applied.chain(runs).filter_map(|metadata| metadata.uid.clone()).collect();
        context.states.with(&pipeline.uid, |state| state.keep_only(&tried, &exist));
    }
    pass.applied
}

/// One pass over all children.
struct Pass<'a> {
    context: &'a Context,
    pipeline: &'a ValidatedPipeline,
    applied: Applied,
}

impl Pass<'_> {
    async fn all(&mut self, plan: &Plan, children: &[Child], view: &View) -> ControlFlow<()> {
        let (context, pipeline) = (self.context, self.pipeline);
        // First of all: what follows from a report starts when the report can no longer be lost.
        for pending_report in &plan.pending_reports {
            let persisted =
                async { jobs::persist_report(context, pipeline, view, pending_report).await.map(|()| None) };
            let object = format!("report of Job {}", pending_report.run);
            self.attempt(&object, "", Importance::BestEffort, persisted).await?;
        }
        for job in jobs::expiring(view) {
            let name = job.metadata.name.as_deref().unwrap_or_default();
            let kept = jobs::keep(context, pipeline, job);
            self.attempt(&format!("lifetime of Job {name}"), "", Importance::Required, kept).await?;
        }
        self.applied.contest(jobs::contested(context, pipeline, view));
        let mut wanted: Vec<Desired> = Vec::new();
        for child in children {
            if let Child::Job(job) = child {
                let name = job.metadata.name.clone().unwrap_or_default();
                let created = async { jobs::create(context, pipeline, job).await.map(|()| None) };
                self.attempt(&format!("Job {name}"), "", Importance::Required, created).await?;
            } else if let Some(desired) = Desired::of(child, children) {
                let object = object_name(desired.kind, &desired.name);
                // What is rejected beside the object that exists may be accepted beside another, or none.
                let existing =
                    children::known(&desired, view).and_then(|found| found.metadata().uid.as_deref());
                let attempt = format!("{}@{}", desired.hash, existing.unwrap_or_default());
                let applied = children::apply(context, pipeline, &desired, view);
                self.attempt(&object, &attempt, Importance::Required, applied).await?;
                self.applied.contest(children::contested(context, pipeline, &desired, view));
                wanted.push(desired);
            }
        }
        for name in &plan.prune {
            let deleted = async { jobs::delete(context, pipeline, view, name).await.map(|()| None) };
            self.attempt(&format!("delete Job {name}"), "", Importance::Required, deleted).await?;
        }
        for orphan in orphans::orphans(pipeline, plan, &wanted, view) {
            let name = orphan.metadata().name.as_deref().unwrap_or_default();
            let deleted = async { children::delete(context, pipeline, orphan).await.map(|_| None) };
            let object = format!("delete {}", object_name(orphan.kind, name));
            self.attempt(&object, "", Importance::Required, deleted).await?;
        }
        ControlFlow::Continue(())
    }

    /// Does one thing, unless it failed a short while ago and nothing has changed; whether to continue with the next.
    async fn attempt(
        &mut self,
        object: &str,
        attempt: &str,
        importance: Importance,
        call: impl Future<Output = Result<Option<Duration>, Failure>>,
    ) -> ControlFlow<()> {
        let (states, uid) = (&self.context.states, &self.pipeline.uid);
        let attempted = format!("{attempt}@{}", self.pipeline.generation.unwrap_or_default());
        self.applied.tried.insert(object.to_owned());
        let before = states.with(uid, |state| state.backoffs.get(object).cloned());
        if let Some(active) = before.as_ref().filter(|backoff| backoff.is_active(&attempted, Instant::now()))
        {
            self.applied.backoffs.push(active.clone());
            return ControlFlow::Continue(());
        }
        match call.await {
            Ok(wait) => {
                states.with(uid, |state| state.backoffs.remove(object));
                self.applied.repair_in = [self.applied.repair_in, wait].into_iter().flatten().min();
                ControlFlow::Continue(())
            }
            Err(failure) => {
                tracing::info!(object, class = ?failure.class, "{}", failure.message);
                let before = before.filter(|backoff| backoff.attempted == attempted);
                let failures = before.map_or(0, |backoff| backoff.failures) + 1;
                let wait = failure.wait(failures, rand::random()).max(self.context.throttle.remaining());
                let until = Instant::now() + wait;
                let is_best_effort = importance == Importance::BestEffort;
                // What is not reported must not stop anything; a required write finds out by itself that the API server is down.
                let stops = failure.stops_the_rest() && (!is_best_effort || failure.class == Class::Ending);
                if self.applied.failed.is_none() && !failure.is_wait() {
                    self.applied.failed = Some(failure.clone());
                }
                let backoff = ApplyBackoff { attempted, failure, failures, until, is_best_effort };
                states.with(uid, |state| state.backoffs.insert(object.to_owned(), backoff.clone()));
                self.applied.backoffs.push(backoff);
                if stops { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            }
        }
    }
}
