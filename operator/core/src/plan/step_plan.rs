//! What a plan is: one entry a step, and what follows for the pipeline as a whole.

use jiff::Timestamp;
use mlpipeline_crds::{Revision, StepKind};

use super::pending_reports::PendingReport;
use super::work::Work;
use crate::decision::Decision;
use crate::reason::Reason;

/// What to do about a pipeline now.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// One entry a step, in the validated order.
    pub steps: Vec<StepPlan>,
    /// When to plan again although nothing happened: a schedule fires, or something has lasted for too long.
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

    /// When a schedule fires next.
    #[must_use]
    pub fn next_run(&self) -> Option<Timestamp> {
        self.steps.iter().filter_map(|step| step.next_run).min()
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
    /// Why. Printed, it is one sentence for people; its code is for machines.
    pub reason: Reason,
    /// The revision of the step's result, or of the run that would make it; unknown while something it reads is.
    pub revision: Option<Revision>,
    /// The name of the run that the decision rests on, where there is one.
    pub run: Option<String>,
    /// When the step's schedule fires next.
    pub next_run: Option<Timestamp>,
    /// What should exist. `None` leaves alone whatever exists.
    pub work: Option<Work>,
}

/// What differs between a cluster and a laptop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedules {
    /// Scheduled steps run at their times.
    Keep,
    /// Scheduled steps run once, at once, as if they had no schedule.
    RunOnce,
}
