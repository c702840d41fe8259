//! What to do, and why: the product of the whole project, one pure function.
//!
//! [`plan`] decides in a cluster and on a laptop alike. For each step it works out the *key* of the run that would make the
//! spec true (the hash of the step's [`Fingerprint`], which holds the revisions that it reads), looks whether such a run is done,
//! at work or failed, and says what follows. A run's *revision* is the name of its result: the key itself, or, for runs of a schedule,
//! the hash of the key and of what was produced.

mod decide;
mod inputs;
mod long_running;
mod model;
mod pending_reports;
mod prune;
mod scheduled;
mod task;
mod work;

use jiff::Timestamp;
use mlpipeline_crds::{Revision, StepKind};
use serde::Serialize;

pub use super::fingerprint::Fingerprint;
use super::observed::Observed;
use super::pipeline::ValidatedPipeline;
pub use model::{ModelVerdict, models};
pub use pending_reports::PendingReport;
pub use work::{LongRunningWork, RunWork, Task, Work};

/// What to do about a pipeline now.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// One entry a step, in the validated order.
    pub steps: Vec<StepPlan>,
    /// When to look again although nothing happened: the next time a schedule fires.
    pub wake_at: Option<Timestamp>,
    /// Names of runs (Jobs) that are beyond the history or whose step is gone.
    pub prune: Vec<String>,
    /// Reports to persist with their runs.
    pub pending_reports: Vec<PendingReport>,
}

impl Plan {
    /// The entry of the step of this name.
    #[must_use]
    pub fn step(&self, name: &str) -> Option<&StepPlan> {
        self.steps.iter().find(|step| step.name == name)
    }
}

/// What to do about one step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepPlan {
    /// The step's name.
    pub name: String,
    /// What it does.
    pub kind: StepKind,
    /// How it stands.
    pub decision: Decision,
    /// Why, for people: one sentence without a full stop.
    pub reason: String,
    /// The revision of the step's result, or of the run that would make it; unknown while something it reads is.
    pub revision: Option<Revision>,
    /// The name of the run that the decision rests on, where there is one.
    pub run: Option<String>,
    /// When the step's schedule fires next.
    pub next_run: Option<Timestamp>,
    /// What should exist. `None` leaves alone whatever exists.
    pub work: Option<Work>,
}

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Decision {
    /// What the step should bring about is there.
    Done,
    /// A run must be started now.
    Run,
    /// A run is at work, or pods are being rolled out.
    Running,
    /// Waits for another step, for its time, or for the end of a suspension.
    Wait,
    /// Cannot go on until another step is mended.
    Blocked,
    /// Its model did not pass the gate, so nobody may use it.
    Rejected,
    /// It failed, and another attempt at the same would fail again.
    Failed,
}

/// What differs between a cluster and a laptop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedules {
    /// Scheduled steps run at their times.
    Keep,
    /// Scheduled steps run once, at once, as if they had no schedule.
    RunOnce,
}

/// Decides what to do about a pipeline, given what exists of it.
#[must_use]
pub fn plan(pipeline: &ValidatedPipeline, observed: &Observed, now: Timestamp, schedules: Schedules) -> Plan {
    let mut steps: Vec<StepPlan> = Vec::with_capacity(pipeline.steps.len());
    for step in &pipeline.steps {
        let context = decide::Context { pipeline, observed, now, schedules, planned: &steps };
        steps.push(decide::decide(&context, step));
    }
    let prune = prune::prune(pipeline, observed, &steps);
    let pending_reports = pending_reports::pending_reports(pipeline, observed, &prune);
    let wake_at = steps.iter().filter_map(|step| step.next_run).min();
    Plan { steps, wake_at, prune, pending_reports }
}
