//! What to do, and why: the product of the whole project, one pure function.
//!
//! [`plan`] decides in a cluster and on a laptop alike. For each step it works out the *key* of the run that would make the
//! spec true (the hash of the step's [`Fingerprint`], which holds the revisions that it reads), looks whether such a run is done,
//! at work or failed, and says what follows. A run's *revision* is the name of its result: the key itself, or, for runs of a schedule,
//! the hash of the key and of what was produced.

mod changed_settings;
mod context;
mod decide;
mod finished;
mod held_back;
mod history;
mod inputs;
mod long_running;
mod model;
mod once;
mod outside_inputs;
mod pending_reports;
mod pod_images;
mod reported_digest;
mod retry;
mod runs;
mod scheduled;
mod shape;
mod start;
mod step_plan;
mod supply;
mod task;
mod work;

use jiff::Timestamp;

pub use super::decision::Decision;
pub use super::fingerprint::Fingerprint;
use super::observed::Observed;
use super::pipeline::ValidatedPipeline;
pub use super::reason::Reason;
pub use model::{ModelVerdict, ServedModel, models, served_models};
pub use pending_reports::PendingReport;
pub use pod_images::{PodImage, pod_images};
pub use shape::{Retries, Shape, Speaker};
pub use step_plan::{Plan, Schedules, StepPlan};
pub use work::{LongRunningWork, RunWork, Task, Work};

/// Decides what to do about a pipeline, given what exists of it.
#[must_use]
pub fn plan(pipeline: &ValidatedPipeline, observed: &Observed, now: Timestamp, schedules: Schedules) -> Plan {
    let mut steps: Vec<StepPlan> = Vec::with_capacity(pipeline.steps.len());
    for step in &pipeline.steps {
        let context = context::Context { pipeline, observed, now, schedules, planned: &steps };
        steps.push(decide::decide(&context, step));
    }
    let context = context::Context { pipeline, observed, now, schedules, planned: &steps };
    let prune = history::prune(&context);
    let pending_reports = pending_reports::pending_reports(pipeline, observed, &prune);
    let wake_at = wake_at(pipeline, observed, now, &steps);
    Plan { steps, wake_at, prune, pending_reports }
}

/// When to plan again although nothing happens: a schedule fires, or something lasts for so long that it counts as an issue.
fn wake_at(
    pipeline: &ValidatedPipeline,
    observed: &Observed,
    now: Timestamp,
    steps: &[StepPlan],
) -> Option<Timestamp> {
    let found = pipeline.steps.iter().filter_map(|step| observed.steps.get(&step.name));
    let overdue = found.flat_map(|found| {
        found.overdue.iter().chain(&found.not_autoscaled).chain(&found.no_external_address)
    });
    let overdue = overdue.chain(&observed.volume_not_grown);
    let overdue = overdue.map(|overdue| overdue.from).filter(|from| *from > now);
    steps.iter().filter_map(|step| step.next_run).chain(overdue).min()
}
