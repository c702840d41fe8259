//! Brings about what was built: the only writer of children.
//!
//! Jobs are created by a name that says what they do, and never changed. Everything else is applied by server-side apply, and
//! only where it is not yet as it should be. Nothing is ever written to an object that is not this pipeline's.

mod contains;
mod desired;
mod jobs;
mod lasting;
mod orphans;
mod quantity;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::Duration;

use tokio::time::Instant;

use super::context::Context;
use super::memory::Refusal;
use super::observe::{View, object_name};
use super::problem::{Class, Failure};
use mlpipeline_core::children::Child;
use mlpipeline_core::pipeline::ValidatedPipeline;
use mlpipeline_core::plan::Plan;

use self::desired::Desired;
pub(super) use self::orphans::kinds;

/// Whether all that the spec asks for can be true without a write. Where no report can be kept with its Job, a run whose pod goes
/// before its report was read is done once more, and is called failed when that happens again and again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Needed,
    Dispensable,
}

/// What became of the children.
#[derive(Debug, Default)]
pub struct Applied {
    /// What could not be brought about, now or when it was tried last.
    pub refusals: Vec<Refusal>,
    /// When to look again although nothing failed: a repair that waits, since somebody keeps undoing it.
    pub look_again: Option<Duration>,
    /// What failed in this look first, and not only in an earlier one.
    pub failed: Option<Failure>,
    tried: BTreeSet<String>,
}

impl Applied {
    /// The refusal that people should hear of first.
    #[must_use]
    pub fn worst(&self) -> Option<&Refusal> {
        self.refusals
            .iter()
            .filter(|refusal| !refusal.is_dispensable)
            .max_by_key(|refusal| refusal.failure.class)
    }
}

/// Creates, applies and removes, in the order of dependency.
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
        let exist = view.applied.iter().filter_map(|found| found.metadata().uid.clone()).collect();
        context.memory.with(&pipeline.uid, |remembered| remembered.keep_only(&tried, &exist));
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
        // First of all: what follows from a report begins when the report can no longer be lost.
        for pending_report in &plan.pending_reports {
            let kept =
                async { jobs::keep_report(context, pipeline, view, pending_report).await.map(|()| None) };
            let object = format!("report of Job {}", pending_report.run);
            self.attempt(&object, "", Need::Dispensable, kept).await?;
        }
        let mut wanted: Vec<Desired> = Vec::new();
        for child in children {
            if let Child::Job(job) = child {
                let name = job.metadata.name.clone().unwrap_or_default();
                let created = async { jobs::create(context, pipeline, job).await.map(|()| None) };
                self.attempt(&format!("Job {name}"), "", Need::Needed, created).await?;
            } else if let Some(desired) = Desired::of(child) {
                let object = object_name(desired.kind, &desired.name);
                // What is not taken beside the object that is there may be taken beside another, or none.
                let there = lasting::known(&desired, view).and_then(|found| found.metadata().uid.as_deref());
                let wish = format!("{}@{}", desired.hash, there.unwrap_or_default());
                let applied = lasting::apply(context, pipeline, &desired, view);
                self.attempt(&object, &wish, Need::Needed, applied).await?;
                wanted.push(desired);
            }
        }
        for name in &plan.prune {
            let pruned = async { jobs::prune(context, pipeline, view, name).await.map(|()| None) };
            self.attempt(&format!("delete Job {name}"), "", Need::Needed, pruned).await?;
        }
        for orphan in orphans::orphans(pipeline, plan, &wanted, view) {
            let name = orphan.metadata().name.as_deref().unwrap_or_default();
            let deleted = async { lasting::delete(context, pipeline, orphan).await.map(|_| None) };
            let object = format!("delete {}", object_name(orphan.kind, name));
            self.attempt(&object, "", Need::Needed, deleted).await?;
        }
        ControlFlow::Continue(())
    }

    /// Does one thing, unless it failed a short while ago and nothing has changed; tells whether to go on with the next.
    async fn attempt(
        &mut self,
        object: &str,
        wish: &str,
        need: Need,
        call: impl Future<Output = Result<Option<Duration>, Failure>>,
    ) -> ControlFlow<()> {
        let (memory, uid) = (&self.context.memory, &self.pipeline.uid);
        let wish = format!("{wish}@{}", self.pipeline.generation.unwrap_or_default());
        self.applied.tried.insert(object.to_owned());
        let before = memory.with(uid, |remembered| remembered.refusals.get(object).cloned());
        if let Some(standing) = before.as_ref().filter(|refusal| refusal.stands(&wish, Instant::now())) {
            self.applied.refusals.push(standing.clone());
            return ControlFlow::Continue(());
        }
        match call.await {
            Ok(wait) => {
                memory.with(uid, |remembered| remembered.refusals.remove(object));
                self.applied.look_again = [self.applied.look_again, wait].into_iter().flatten().min();
                ControlFlow::Continue(())
            }
            Err(failure) => {
                tracing::info!(object, class = ?failure.class, "{}", failure.message);
                let failures =
                    before.filter(|refusal| refusal.wish == wish).map_or(0, |refusal| refusal.failures) + 1;
                let wait = failure.wait(failures, rand::random()).max(self.context.pressure.left());
                let until = Instant::now() + wait;
                let is_dispensable = need == Need::Dispensable;
                // What nobody hears of must hold nothing up; what is needed finds out by itself that nothing is to be had.
                let stops = failure.stops_the_rest() && (!is_dispensable || failure.class == Class::Ending);
                if self.applied.failed.is_none() && !failure.is_a_wait() {
                    self.applied.failed = Some(failure.clone());
                }
                let refusal = Refusal { wish, failure, failures, until, is_dispensable };
                memory.with(uid, |remembered| remembered.refusals.insert(object.to_owned(), refusal.clone()));
                self.applied.refusals.push(refusal);
                if stops { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            }
        }
    }
}
