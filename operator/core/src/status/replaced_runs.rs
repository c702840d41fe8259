//! Runs of a schedule that are replaced before they end, one after the other. Must not say what runs.
//!
//! With `concurrencyPolicy: Replace` a run is deleted when the next begins. Where none ever ends, the newest is young at any moment and
//! nothing is left of those before: the status before alone remembers them. One that is replaced now and then is what was asked for.

use std::borrow::Cow;
use std::collections::BTreeMap;

use mlpipeline_crds::{ConcurrencyPolicy, MLPipelineStatus, StepState, StepStatus};

use super::conditions::whole_seconds;
use crate::decision::Decision;
use crate::observed::{Observed, ObservedRun, RunPhase};
use crate::pipeline::{ValidStep, ValidatedPipeline};
use crate::plan::{Plan, Reason, StepPlan};

/// So many runs, one after the other, are no chance any more.
const LIMIT: i32 = 3;

/// How many runs were replaced since one ended, by step; no entry where none was. `previous` is the status before.
pub(super) fn replaced_runs(
    pipeline: &ValidatedPipeline,
    observed: &Observed,
    previous: Option<&MLPipelineStatus>,
) -> BTreeMap<String, i32> {
    let reported = previous.map(|status| status.steps.as_slice()).unwrap_or_default();
    let counts = pipeline.steps.iter().filter(|step| replaces(step)).filter_map(|step| {
        let before = reported.iter().find(|before| before.name == step.name)?;
        let runs = observed.steps.get(&step.name).map(|found| found.runs.as_slice()).unwrap_or_default();
        let count = count(before, runs);
        (count > 0).then(|| (step.name.clone(), count))
    });
    counts.collect()
}

/// A plan in which steps whose runs are replaced again and again say so.
pub(super) fn with_replaced_runs<'a>(
    pipeline: &ValidatedPipeline,
    plan: &'a Plan,
    replaced: &BTreeMap<String, i32>,
) -> Cow<'a, Plan> {
    let mut plan = Cow::Borrowed(plan);
    for (name, runs) in replaced.iter().filter(|(_, runs)| **runs >= LIMIT) {
        let is_at_work = pipeline.step(name).is_some_and(|step| !is_suspended(pipeline, step));
        let is_held_up = |step: &StepPlan| step.name == *name && is_at_work && tells(step.decision);
        let Some(at) = plan.steps.iter().position(is_held_up) else { continue };
        if let Some(step) = plan.to_mut().steps.get_mut(at) {
            let cause = match &step.reason {
                Reason::ScheduleHeldUp { cause, .. } => cause.clone(),
                reason => Box::new(reason.clone()),
            };
            step.reason = Reason::RunsReplaced { cause, runs: *runs };
        }
    }
    plan
}

/// Whether a step that stands so has nothing worse to say. Between two runs it stands by the last one that ended.
fn tells(decision: Decision) -> bool {
    match decision {
        Decision::Running | Decision::Wait | Decision::Done => true,
        Decision::Run | Decision::Blocked | Decision::Rejected | Decision::Failed => false,
    }
}

fn replaces(step: &ValidStep) -> bool {
    let policy = step.schedule.as_ref().and_then(|schedule| schedule.spec.concurrency_policy);
    policy == Some(ConcurrencyPolicy::Replace)
}

fn is_suspended(pipeline: &ValidatedPipeline, step: &ValidStep) -> bool {
    let of_schedule = step.schedule.as_ref().and_then(|schedule| schedule.spec.suspend);
    pipeline.suspend || of_schedule.unwrap_or_default()
}

/// One more where the run that was at work is gone, and none where any has ended since.
fn count(before: &StepStatus, runs: &[ObservedRun]) -> i32 {
    let reported = before.workload.as_deref().and_then(|workload| workload.strip_prefix("Job/"));
    let at_work = reported.filter(|_| before.state == StepState::Running);
    let began = before.started.as_ref().map(|time| time.0);
    let has_ended = |run: &ObservedRun| match reported == Some(run.name.as_str()) {
        true => at_work.is_some(),
        false => began.is_some() && run.started.map(whole_seconds) >= began,
    };
    if runs.iter().filter(|run| run.phase != RunPhase::Active).any(has_ended) {
        return 0;
    }
    let is_gone = at_work.is_some_and(|name| runs.iter().all(|run| run.name != name));
    before.replaced_runs.unwrap_or_default().saturating_add(i32::from(is_gone))
}
