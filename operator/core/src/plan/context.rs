//! What a decision is made from, and the entries that more than one way to decide comes to. Must not decide which way a step takes.

use jiff::Timestamp;

use super::step_plan::{Schedules, StepPlan};
use crate::decision::Decision;
use crate::observed::{Observed, ObservedRun, PodIssue};
use crate::pipeline::{ValidStep, ValidatedPipeline};
use crate::reason::Reason;

/// What a decision is made from.
pub(super) struct Context<'a> {
    pub(super) pipeline: &'a ValidatedPipeline,
    pub(super) observed: &'a Observed,
    pub(super) now: Timestamp,
    pub(super) schedules: Schedules,
    /// The decisions for the steps before this one, all that it reads among them.
    pub(super) planned: &'a [StepPlan],
}

impl Context<'_> {
    pub(super) fn planned(&self, step: &str) -> Option<&StepPlan> {
        self.planned.iter().find(|plan| plan.name == step)
    }

    /// Whether a step runs at the times of its schedule.
    pub(super) fn keeps_schedule(&self, step: &ValidStep) -> bool {
        step.schedule.is_some() && self.schedules == Schedules::Keep
    }

    pub(super) fn runs(&self, step: &ValidStep) -> &[ObservedRun] {
        self.observed.steps.get(&step.name).map(|step| step.runs.as_slice()).unwrap_or_default()
    }
}

/// An entry with nothing but a decision and its reason.
pub(super) fn entry(step: &ValidStep, decision: Decision, reason: Reason) -> StepPlan {
    StepPlan {
        name: step.name.clone(),
        kind: step.kind(),
        decision,
        reason,
        revision: None,
        run: None,
        next_run: None,
        work: None,
    }
}

pub(super) fn is_suspended(step: &ValidStep) -> bool {
    step.schedule.as_ref().is_some_and(|schedule| schedule.spec.suspend.unwrap_or_default())
}

/// Why a step whose pods are being brought about is not there yet: what keeps them from working, where something does.
pub(super) fn pod_issue(context: &Context<'_>, step: &ValidStep) -> Option<Reason> {
    let at_once = context.observed.steps.get(&step.name)?.pod_issues.first();
    Some(Reason::PodIssue(at_once.or_else(|| overdue(context, step))?.clone()))
}

/// What keeps pods from working or ending for longer than it usually does.
pub(super) fn overdue<'a>(context: &Context<'a>, step: &ValidStep) -> Option<&'a PodIssue> {
    let overdue = context.observed.steps.get(&step.name)?.overdue.iter();
    overdue.filter(|overdue| overdue.from <= context.now).map(|overdue| &overdue.pod_issue).next()
}
