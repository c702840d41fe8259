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

use std::time::Duration;

use super::context::Context;
use super::observe::View;
use super::problem::Failure;
use crate::core::build::Child;
use crate::core::pipeline::ValidatedPipeline;
use crate::core::plan::Plan;

use self::desired::Desired;

/// What became of the children.
#[derive(Debug, Default)]
pub struct Applied {
    /// What could not be brought about.
    pub failures: Vec<Failure>,
    /// When to look again although nothing failed: a repair that waits, since somebody keeps undoing it.
    pub look_again: Option<Duration>,
}

impl Applied {
    /// The failure that people should hear of first.
    #[must_use]
    pub fn worst(&self) -> Option<&Failure> {
        self.failures.iter().max_by_key(|failure| failure.class)
    }

    /// Whether to go on with the next child.
    fn take(&mut self, outcome: Result<Option<Duration>, Failure>) -> bool {
        match outcome {
            Ok(wait) => {
                self.look_again = [self.look_again, wait].into_iter().flatten().min();
                true
            }
            Err(failure) => {
                tracing::info!(object = failure.object, class = ?failure.class, "{}", failure.message);
                let goes_on = !failure.stops_the_rest();
                self.failures.push(failure);
                goes_on
            }
        }
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
    let mut applied = Applied::default();
    let mut wanted: Vec<Desired> = Vec::new();
    for child in children {
        let outcome = match (child, Desired::of(child)) {
            (Child::Job(job), _) => jobs::create(context, pipeline, job).await.map(|()| None),
            (_, Some(desired)) => {
                let outcome = lasting::apply(context, pipeline, &desired, view).await;
                wanted.push(desired);
                outcome
            }
            (_, None) => Ok(None),
        };
        if !applied.take(outcome) {
            return applied;
        }
    }
    for name in &plan.prune {
        if !applied.take(jobs::prune(context, pipeline, view, name).await.map(|()| None)) {
            return applied;
        }
    }
    for orphan in orphans::orphans(pipeline, plan, &wanted, view) {
        if !applied.take(lasting::delete(context, pipeline, orphan).await.map(|()| None)) {
            return applied;
        }
    }
    applied
}
