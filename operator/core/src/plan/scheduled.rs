//! The decision for a step that runs at the times of its schedule.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mlpipeline_crds::{ConcurrencyPolicy, Revision};

use super::changed_settings::gives_way;
use super::context::{Context, entry, is_suspended, overdue, pod_issue};
use super::finished::finished;
use super::held_back::held_back;
use super::inputs::Inputs;
use super::runs::{age, read_now, result_of};
use super::step_plan::StepPlan;
use super::task;
use super::work::Work;
use crate::decision::Decision;
use crate::fingerprint::Fingerprint;
use crate::observed::{ObservedRun, RunPhase};
use crate::piece::Piece;
use crate::pipeline::ValidStep;
use crate::reason::{NextRun, Reason, Scheduled};

pub(super) fn decide(context: &Context<'_>, step: &ValidStep, inputs: &Inputs) -> StepPlan {
    // A run from before the step had a schedule counts too: its result is as good, where the step was of the same kind.
    let is_of_another_kind = |run: &&ObservedRun| {
        run.phase != RunPhase::Active && run.fingerprint.as_ref().is_some_and(|made| !made.is_of(step.kind()))
    };
    let mut runs: Vec<&ObservedRun> =
        context.runs(step).iter().filter(|run| !is_of_another_kind(run)).collect();
    runs.sort_by(|left, right| age(right).cmp(&age(left)));
    let result: Option<Revision> = runs.iter().find_map(|run| result_of(step, run));
    let suspended = context.pipeline.suspend || is_suspended(step);
    let next_run =
        step.schedule.as_ref().filter(|_| !suspended).and_then(|schedule| schedule.next_after(context.now));

    let held = held_back(context, step, inputs);
    let fingerprint = scheduled_fingerprint(context, step, inputs, held.is_some());
    let next = match next_run {
        Some(time) => NextRun::At(time),
        None if suspended => NextRun::Suspended,
        None => NextRun::Never,
    };
    let when = Scheduled { next, changes: Vec::new(), last: None, keeps_inputs: false };
    let gone = runs.first().and_then(|run| gives_way(context, step, run));
    let plan = match (runs.first(), held) {
        (Some(run), _) if run.phase == RunPhase::Active => match &gone {
            Some(reason) => entry(step, Decision::Wait, reason.clone()),
            None => entry(step, Decision::Running, at_work(context, step, run, suspended)),
        },
        (_, Some(held)) if fingerprint.is_some() => {
            let last = Some(Box::new(held.reason.clone()));
            let reason = Reason::Scheduled(Scheduled { last, keeps_inputs: true, ..when });
            StepPlan { reason, ..held }
        }
        (_, Some(held)) => held,
        (None, None) => without_runs(context, step, entry(step, Decision::Wait, Reason::Scheduled(when))),
        (Some(run), None) => {
            without_runs(context, step, after_scheduled_run(step, run, fingerprint.as_ref(), when))
        }
    };
    let work = fingerprint.map(|fingerprint| Work::Scheduled {
        run: task::run(context, step, fingerprint, Piece::Commit, 1, true),
        suspend: suspended,
    });
    StepPlan {
        revision: plan.revision.or(result),
        run: runs.first().filter(|_| gone.is_none()).map(|run| run.name.clone()),
        next_run: next_run.filter(|_| work.is_some()),
        work,
        ..plan
    }
}

/// How a run of the schedule stands that is not over.
fn at_work(context: &Context<'_>, step: &ValidStep, run: &ObservedRun, suspended: bool) -> Reason {
    let cause = pod_issue(context, step).unwrap_or(Reason::AtWork);
    let missed = missed(context, step, run).filter(|_| !suspended);
    if missed.is_none() && overdue(context, step).is_none() {
        return cause;
    }
    Reason::ScheduleHeldUp { cause: Box::new(cause), missed, run: Some(run.name.clone()) }
}

/// The first time of the schedule that passed while a run was at work, where no other may run beside it.
fn missed(context: &Context<'_>, step: &ValidStep, run: &ObservedRun) -> Option<Timestamp> {
    let schedule = step.schedule.as_ref()?;
    let waits = schedule.spec.concurrency_policy.unwrap_or_default() == ConcurrencyPolicy::Forbid;
    // A run from before the step had a schedule keeps none of its times.
    schedule.next_after(run.started.filter(|_| waits && run.scheduled)?).filter(|next| *next <= context.now)
}

/// A schedule between two runs, which may be kept from the next.
fn without_runs(context: &Context<'_>, step: &ValidStep, plan: StepPlan) -> StepPlan {
    match pod_issue(context, step) {
        Some(cause) if plan.decision != Decision::Failed => {
            let reason = Reason::ScheduleHeldUp { cause: Box::new(cause), missed: None, run: None };
            StepPlan { reason, ..plan }
        }
        Some(_) | None => plan,
    }
}

/// What the runs of a schedule do. A schedule that is set up continues with what it read while something newer is not there
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
    when: Scheduled,
) -> StepPlan {
    // What it reads changes all the time; only an edit of its own is news.
    let changes = fingerprint.zip(run.fingerprint.as_ref()).map(|(now, then)| now.own_changes(then));
    let changes = changes.unwrap_or_default();
    let is_edited = !changes.is_empty();
    let with =
        |last: Option<Reason>| Reason::Scheduled(Scheduled { changes, last: last.map(Box::new), ..when });
    match &run.phase {
        RunPhase::Failed { reason, message } => {
            let decision = if is_edited { Decision::Wait } else { Decision::Failed };
            let last = Reason::RunFailed { reason: reason.clone(), message: message.clone() };
            entry(step, decision, with(Some(last)))
        }
        RunPhase::Active | RunPhase::Succeeded if result_of(step, run).is_none() => {
            entry(step, Decision::Wait, with(Some(Reason::ReportMissing { is_repeated: false })))
        }
        RunPhase::Active | RunPhase::Succeeded => {
            let plan = finished(step, run);
            let last = (plan.decision != Decision::Done).then(|| plan.reason.clone());
            StepPlan { reason: with(last), ..plan }
        }
    }
}
