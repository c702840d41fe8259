//! The decision for one step that runs to completion; [`super::live`] decides for those that run all the time.

use jiff::Timestamp;
use mlpipeline_crds::{Revision, StepKind};

use super::inputs::{Inputs, age, result_of};
use super::{Decision, Schedules, StepPlan, Work, live, model, task};
use crate::core::meaning::Meaning;
use crate::core::observed::{Observed, ObservedRun, RunPhase};
use crate::core::pipeline::{ValidStep, ValidatedPipeline};

/// How many runs of one key may end without a report before that counts as a failure.
const MAX_LOST_REPORTS: u32 = 3;

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

    pub(super) fn runs(&self, step: &ValidStep) -> &[ObservedRun] {
        self.observed.steps.get(&step.name).map(|step| step.runs.as_slice()).unwrap_or_default()
    }
}

/// Decides what to do about one step.
pub(super) fn decide(context: &Context<'_>, step: &ValidStep) -> StepPlan {
    let inputs = Inputs::of(context, step);
    if step.is_long_running() {
        return live::decide(context, step, &inputs);
    }
    match &step.schedule {
        Some(_) if context.schedules == Schedules::Keep => decide_scheduled(context, step, &inputs),
        _ => decide_once(context, step, &inputs),
    }
}

/// An entry with nothing but a decision and its reason.
pub(super) fn entry(step: &ValidStep, decision: Decision, reason: impl Into<String>) -> StepPlan {
    StepPlan {
        name: step.name.clone(),
        kind: step.kind(),
        decision,
        reason: reason.into(),
        revision: None,
        run: None,
        next_run: None,
        work: None,
    }
}

fn decide_once(context: &Context<'_>, step: &ValidStep, inputs: &Inputs) -> StepPlan {
    let Some(revisions) = inputs.revisions() else {
        return held_back(context, step, inputs)
            .unwrap_or_else(|| entry(step, Decision::Wait, "waits for what it reads"));
    };
    let meaning = Meaning::of(context.pipeline, step, revisions);
    let key = meaning.key();
    let newest = context.runs(step).iter().filter(|run| run.key == key).max_by_key(|run| run.attempt);
    let by_content = step.schedule.is_some();
    let named =
        |plan: StepPlan| StepPlan { revision: plan.revision.or((!by_content).then(|| key.clone())), ..plan };
    if let Some(run) = newest {
        let plan = decide_by_run(context, step, &meaning, run);
        return named(StepPlan { run: Some(run.name.clone()), ..plan });
    }
    if let Some(plan) = held_back(context, step, inputs) {
        return named(plan);
    }
    named(start(context, step, meaning, 1, None))
}

/// What follows from the newest run of the step as it is now.
fn decide_by_run(context: &Context<'_>, step: &ValidStep, meaning: &Meaning, run: &ObservedRun) -> StepPlan {
    match &run.phase {
        RunPhase::Active => {
            entry(step, Decision::Running, trouble(context, step).unwrap_or_else(|| "at work".to_owned()))
        }
        RunPhase::Failed { message, .. } => entry(step, Decision::Failed, message.clone()),
        RunPhase::Succeeded if run.report.is_some() || step.kind() == StepKind::Run => finished(step, run),
        RunPhase::Succeeded if run.attempt >= MAX_LOST_REPORTS => entry(
            step,
            Decision::Failed,
            format!("{} runs ended well and left no report: see the pods' termination messages", run.attempt),
        ),
        RunPhase::Succeeded => {
            let reason = "its report was lost; the finished artifact will answer at once".to_owned();
            start(context, step, meaning.clone(), run.attempt + 1, Some(reason))
        }
    }
}

/// The decision for a run that ended well: done, or refused by the gate.
fn finished(step: &ValidStep, run: &ObservedRun) -> StepPlan {
    let verdict = run.report.as_ref().map(|report| model::judge(step, report));
    let (decision, reason) = match (step.kind(), verdict) {
        (StepKind::Train, Some(verdict)) if !verdict.passed => (Decision::Refused, verdict.message),
        _ => (Decision::Done, "up to date".to_owned()),
    };
    StepPlan { revision: result_of(run), ..entry(step, decision, reason) }
}

/// Starts a run, unless the pipeline is suspended.
fn start(
    context: &Context<'_>,
    step: &ValidStep,
    meaning: Meaning,
    attempt: u32,
    reason: Option<String>,
) -> StepPlan {
    if context.pipeline.suspend {
        return entry(step, Decision::Wait, "suspended: no new run is started until suspend is taken away");
    }
    let reason = reason.unwrap_or_else(|| why(context, step, &meaning));
    let work = Work::Once(task::run(context, step, meaning, attempt, step.schedule.is_some()));
    StepPlan { work: Some(work), ..entry(step, Decision::Run, reason) }
}

/// Why the step runs: what changed since its newest run.
fn why(context: &Context<'_>, step: &ValidStep, meaning: &Meaning) -> String {
    let before = context
        .runs(step)
        .iter()
        .filter(|run| run.meaning.is_some())
        .max_by(|left, right| age(left).cmp(&age(right)));
    let difference = before.and_then(|run| run.meaning.as_ref()).map(|earlier| meaning.difference(earlier));
    match difference {
        None => "never run before".to_owned(),
        Some(None) => "its run is gone".to_owned(),
        Some(Some(difference)) => difference,
    }
}

/// The decision for a step that must not start yet, because of what it reads or follows.
pub(super) fn held_back(context: &Context<'_>, step: &ValidStep, inputs: &Inputs) -> Option<StepPlan> {
    if let Some(reason) = inputs.missing() {
        return Some(entry(step, Decision::Blocked, reason));
    }
    let mut waits = inputs.coming().map(str::to_owned);
    for name in &step.after {
        match context.planned(name).map(|plan| plan.decision) {
            Some(Decision::Done) => {}
            Some(Decision::Blocked | Decision::Refused | Decision::Failed) | None => {
                return Some(entry(
                    step,
                    Decision::Blocked,
                    format!("{name} must be done first, and is not well"),
                ));
            }
            Some(Decision::Run | Decision::Running | Decision::Wait) => {
                waits = waits.or_else(|| Some(format!("waits for {name}")));
            }
        }
    }
    waits.map(|reason| entry(step, Decision::Wait, reason))
}

/// What keeps the step's pods from working, for people.
pub(super) fn trouble(context: &Context<'_>, step: &ValidStep) -> Option<String> {
    let trouble = context.observed.steps.get(&step.name)?.troubles.first()?;
    Some(format!("{}: {}", trouble.reason, trouble.message))
}

fn decide_scheduled(context: &Context<'_>, step: &ValidStep, inputs: &Inputs) -> StepPlan {
    let mut runs: Vec<&ObservedRun> = context.runs(step).iter().filter(|run| run.scheduled).collect();
    runs.sort_by(|left, right| age(right).cmp(&age(left)));
    let result: Option<Revision> = runs.iter().find_map(|run| result_of(run));
    let suspended = context.pipeline.suspend
        || step.schedule.as_ref().is_some_and(|schedule| schedule.spec.suspend.unwrap_or_default());
    let next_run =
        step.schedule.as_ref().filter(|_| !suspended).and_then(|schedule| schedule.next_after(context.now));

    let held = held_back(context, step, inputs);
    let work = match (&held, inputs.revisions()) {
        (None, Some(revisions)) => {
            let meaning = Meaning::of(context.pipeline, step, revisions);
            Some(Work::Scheduled { run: task::run(context, step, meaning, 1, true), suspend: suspended })
        }
        // Until what it reads is there, a CronJob that exists goes on with what it had.
        _ => None,
    };
    let when = match next_run {
        Some(time) => format!("next run {}", time.strftime("%Y-%m-%d %H:%M UTC")),
        None if suspended => "suspended".to_owned(),
        None => "its schedule never fires".to_owned(),
    };
    let plan = match (runs.first(), held) {
        (Some(run), _) if run.phase == RunPhase::Active => {
            entry(step, Decision::Running, trouble(context, step).unwrap_or_else(|| "at work".to_owned()))
        }
        (_, Some(held)) => held,
        (None, None) => entry(step, Decision::Wait, when),
        (Some(run), None) => match &run.phase {
            RunPhase::Failed { message, .. } => entry(step, Decision::Failed, format!("{message}; {when}")),
            _ if result_of(run).is_none() => {
                entry(step, Decision::Wait, format!("its report was lost; {when}"))
            }
            _ => {
                let plan = finished(step, run);
                let reason =
                    if plan.decision == Decision::Done { when } else { format!("{}; {when}", plan.reason) };
                StepPlan { reason, ..plan }
            }
        },
    };
    StepPlan {
        revision: plan.revision.or(result),
        run: runs.first().map(|run| run.name.clone()),
        next_run: if work.is_some() { next_run } else { None },
        work,
        ..plan
    }
}
