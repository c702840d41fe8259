//! The decision for a step that runs at the times of its schedule.

use std::collections::BTreeMap;

use mlpipeline_crds::Revision;

use super::decide::{Context, entry, finished, held_back, is_suspended, pod_issue};
use super::inputs::{Inputs, age, read_now, result_of};
use super::{Decision, StepPlan, Work, task};
use crate::fingerprint::Fingerprint;
use crate::observed::{ObservedRun, RunPhase};
use crate::pipeline::ValidStep;

pub(super) fn decide(context: &Context<'_>, step: &ValidStep, inputs: &Inputs) -> StepPlan {
    // A run from before the step had a schedule counts too: its result is as good.
    let mut runs: Vec<&ObservedRun> = context.runs(step).iter().collect();
    runs.sort_by(|left, right| age(right).cmp(&age(left)));
    let result: Option<Revision> = runs.iter().find_map(|run| result_of(step, run));
    let suspended = context.pipeline.suspend || is_suspended(step);
    let next_run =
        step.schedule.as_ref().filter(|_| !suspended).and_then(|schedule| schedule.next_after(context.now));

    let held = held_back(context, step, inputs);
    let fingerprint = scheduled_fingerprint(context, step, inputs, held.is_some());
    let when = match next_run {
        Some(time) => format!("next run {}", time.strftime("%Y-%m-%d %H:%M UTC")),
        None if suspended => "suspended".to_owned(),
        None => "its schedule never fires".to_owned(),
    };
    let plan = match (runs.first(), held) {
        (Some(run), _) if run.phase == RunPhase::Active => {
            entry(step, Decision::Running, pod_issue(context, step).unwrap_or_else(|| "at work".to_owned()))
        }
        (_, Some(held)) if fingerprint.is_some() => {
            StepPlan { reason: format!("{}; goes on with what it read, {when}", held.reason), ..held }
        }
        (_, Some(held)) => held,
        (None, None) => entry(step, Decision::Wait, when),
        (Some(run), None) => after_scheduled_run(step, run, fingerprint.as_ref(), &when),
    };
    let work = fingerprint.map(|fingerprint| Work::Scheduled {
        run: task::run(context, step, fingerprint, 1, true),
        suspend: suspended,
    });
    StepPlan {
        revision: plan.revision.or(result),
        run: runs.first().map(|run| run.name.clone()),
        next_run: next_run.filter(|_| work.is_some()),
        work,
        ..plan
    }
}

/// What the runs of a schedule do. A schedule that is set up goes on with what it read while something newer is not there
/// yet, so that it can be changed and suspended all the same.
fn scheduled_fingerprint(
    context: &Context<'_>,
    step: &ValidStep,
    inputs: &Inputs,
    is_held: bool,
) -> Option<Fingerprint> {
    let is_set_up = context.observed.steps.get(&step.name).is_some_and(|found| found.schedule.is_some());
    if is_held && !is_set_up {
        return None;
    }
    let before = if is_held { read_now(context, step) } else { BTreeMap::new() };
    inputs.ready_or(&before).map(|revisions| Fingerprint::of(context.pipeline, step, revisions))
}

/// How a scheduled step stands after its newest run, which is over.
fn after_scheduled_run(
    step: &ValidStep,
    run: &ObservedRun,
    fingerprint: Option<&Fingerprint>,
    when: &str,
) -> StepPlan {
    // What it reads changes all the time; only an edit of its own is news.
    let edit = fingerprint.zip(run.fingerprint.as_ref()).and_then(|(now, then)| now.own_difference(then));
    let next = match &edit {
        Some(edit) => format!("{when}, which takes up a change: {edit}"),
        None => when.to_owned(),
    };
    match &run.phase {
        RunPhase::Failed { message, .. } if edit.is_some() => {
            entry(step, Decision::Wait, format!("{next}; the run before failed: {message}"))
        }
        RunPhase::Failed { message, .. } => entry(step, Decision::Failed, format!("{message}; {next}")),
        _ if result_of(step, run).is_none() => {
            entry(step, Decision::Wait, format!("its report was lost; {next}"))
        }
        _ => {
            let plan = finished(step, run);
            let reason =
                if plan.decision == Decision::Done { next } else { format!("{}; {next}", plan.reason) };
            StepPlan { reason, ..plan }
        }
    }
}
