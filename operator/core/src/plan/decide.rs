//! The decision for one step that runs to completion. [`super::live`] decides for those that run all the time, and
//! [`super::scheduled`] for those that run at the times of a schedule.

use jiff::Timestamp;
use mlpipeline_crds::{Revision, StepKind};

use super::inputs::{Inputs, age, report_of, result_of};
use super::{Decision, Schedules, StepPlan, Work, long_running, model, scheduled, task};
use crate::fingerprint::Fingerprint;
use crate::observed::{Observed, ObservedRun, RunPhase};
use crate::pipeline::{ValidStep, ValidatedPipeline};

/// How many runs of one key may end without a report before that counts as a failure.
const MAX_LOST_REPORTS: usize = 3;

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

/// Decides what to do about one step.
pub(super) fn decide(context: &Context<'_>, step: &ValidStep) -> StepPlan {
    let inputs = Inputs::of(context, step);
    if step.is_long_running() {
        return long_running::decide(context, step, &inputs);
    }
    if context.keeps_schedule(step) {
        scheduled::decide(context, step, &inputs)
    } else {
        decide_once(context, step, &inputs)
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
    let Some(revisions) = inputs.known() else {
        return held_back(context, step, inputs)
            .unwrap_or_else(|| entry(step, Decision::Wait, "waits for what it reads"));
    };
    let fingerprint = Fingerprint::of(context.pipeline, step, revisions);
    let key = fingerprint.key();
    let newest = usable_runs(context, step)
        .filter(|run| run.key == key)
        .max_by(|left, right| (left.attempt, age(left)).cmp(&(right.attempt, age(right))));
    let by_content = step.schedule.is_some();
    let named =
        |plan: StepPlan| StepPlan { revision: plan.revision.or((!by_content).then(|| key.clone())), ..plan };
    if let Some(run) = newest {
        let plan = decide_by_run(context, step, &fingerprint, run);
        return named(StepPlan { run: Some(run.name.clone()), ..plan });
    }
    if let Some(plan) = held_back(context, step, inputs) {
        return named(plan);
    }
    named(start(context, step, fingerprint, 1, None))
}

/// The runs that count for a step. Those of a schedule that the step no longer has do not: they go with their CronJob.
fn usable_runs<'a>(context: &'a Context<'_>, step: &'a ValidStep) -> impl Iterator<Item = &'a ObservedRun> {
    context.runs(step).iter().filter(|run| !run.scheduled || step.schedule.is_some())
}

/// What follows from the newest run of the step as it is now.
fn decide_by_run(
    context: &Context<'_>,
    step: &ValidStep,
    fingerprint: &Fingerprint,
    run: &ObservedRun,
) -> StepPlan {
    match &run.phase {
        RunPhase::Active => {
            entry(step, Decision::Running, pod_issue(context, step).unwrap_or_else(|| "at work".to_owned()))
        }
        RunPhase::Failed { message, .. } => entry(step, Decision::Failed, message.clone()),
        RunPhase::Succeeded if report_of(run).is_some() || step.kind() == StepKind::Run => {
            match overwritten(context, step, fingerprint, run) {
                Some(place) => {
                    let reason = format!(
                        "{place} holds what a later run delivered; the finished artifact goes there again"
                    );
                    start(context, step, fingerprint.clone(), run.attempt.saturating_add(1), Some(reason))
                }
                None => finished(step, run),
            }
        }
        RunPhase::Succeeded => {
            // Only runs whose report nobody has: others of the key may have begun to deliver it again.
            let lost = usable_runs(context, step)
                .filter(|other| other.key == run.key && other.phase == RunPhase::Succeeded)
                .filter(|other| report_of(other).is_none())
                .count();
            if lost >= MAX_LOST_REPORTS {
                let reason = format!(
                    "{lost} runs ended well and left no report; see their pods, then change the step's rerun to try again"
                );
                return entry(step, Decision::Failed, reason);
            }
            let reason = "its report was lost; the finished artifact will answer at once".to_owned();
            start(context, step, fingerprint.clone(), run.attempt.saturating_add(1), Some(reason))
        }
    }
}

/// The place outside of storage that a run delivered to, where a later run of another key may have delivered there too: going
/// back to an earlier spec finds its artifact, and must bring it there once more.
fn overwritten(
    context: &Context<'_>,
    step: &ValidStep,
    fingerprint: &Fingerprint,
    run: &ObservedRun,
) -> Option<String> {
    let place = fingerprint.replaces()?;
    let mut later = usable_runs(context, step).filter(|other| other.key != run.key && age(other) > age(run));
    let delivered = |other: &ObservedRun| {
        other.fingerprint.as_ref().is_none_or(|fingerprint| fingerprint.replaces() == Some(place))
    };
    later.any(delivered).then(|| place.to_owned())
}

/// The decision for a run that ended well: done, or refused by the gate.
pub(super) fn finished(step: &ValidStep, run: &ObservedRun) -> StepPlan {
    let verdict = report_of(run).map(|report| model::judge(step, report));
    let (decision, reason) = match (step.kind(), verdict) {
        (StepKind::Train, Some(verdict)) if !verdict.passed => (Decision::Rejected, verdict.message),
        _ => (Decision::Done, "up to date".to_owned()),
    };
    StepPlan { revision: result_of(step, run), ..entry(step, decision, reason) }
}

/// Starts a run, unless the pipeline is suspended.
fn start(
    context: &Context<'_>,
    step: &ValidStep,
    fingerprint: Fingerprint,
    attempt: u32,
    reason: Option<String>,
) -> StepPlan {
    if context.pipeline.suspend {
        return entry(step, Decision::Wait, "suspended: no new run is started until suspend is taken away");
    }
    if is_suspended(step) {
        return entry(step, Decision::Wait, "its schedule is suspended");
    }
    let reason = reason.unwrap_or_else(|| why(context, step, &fingerprint));
    let work = Work::Once(task::run(context, step, fingerprint, attempt, step.schedule.is_some()));
    StepPlan { work: Some(work), ..entry(step, Decision::Run, reason) }
}

pub(super) fn is_suspended(step: &ValidStep) -> bool {
    step.schedule.as_ref().is_some_and(|schedule| schedule.spec.suspend.unwrap_or_default())
}

/// Why the step runs: what changed since its newest run.
fn why(context: &Context<'_>, step: &ValidStep, fingerprint: &Fingerprint) -> String {
    if was_read(context, step, &fingerprint.key()) {
        return "its run is gone; the artifact, if it is still there, will answer at once".to_owned();
    }
    let before = usable_runs(context, step)
        .filter(|run| run.fingerprint.is_some())
        .max_by(|left, right| age(left).cmp(&age(right)))
        .and_then(|run| run.fingerprint.as_ref());
    match before {
        None if context.runs(step).iter().any(|run| run.scheduled) => {
            "its schedule was taken away: it runs once, by itself".to_owned()
        }
        None => "never run before".to_owned(),
        Some(earlier) => fingerprint.difference(earlier).unwrap_or_else(|| "its run is gone".to_owned()),
    }
}

/// Whether some step is known to have read this result: then it was there once.
fn was_read(context: &Context<'_>, step: &ValidStep, revision: &Revision) -> bool {
    context.pipeline.steps.iter().any(|reader| {
        let Some(found) = context.observed.steps.get(&reader.name) else { return false };
        let runs = found.runs.iter().filter_map(|run| run.fingerprint.as_ref());
        let fingerprints = runs.chain(found.long_running.as_ref().and_then(|live| live.fingerprint.as_ref()));
        fingerprints.into_iter().any(|fingerprint| {
            let sources = fingerprint.sources();
            let mut inputs = fingerprint.inputs.iter();
            inputs.any(|(name, read)| read == revision && sources.get(name) == Some(&step.name))
        })
    })
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
            Some(decision @ (Decision::Blocked | Decision::Rejected | Decision::Failed)) => {
                let word = match decision {
                    Decision::Failed => "failed",
                    Decision::Rejected => "was refused by its gate",
                    _ => "is blocked",
                };
                return Some(entry(
                    step,
                    Decision::Blocked,
                    format!("{name} must be done first, and {word}"),
                ));
            }
            None => return Some(entry(step, Decision::Blocked, format!("there is no step {name}"))),
            Some(Decision::Run | Decision::Running | Decision::Wait) => {
                waits = waits.or_else(|| Some(format!("waits for {name}")));
            }
        }
    }
    waits.map(|reason| entry(step, Decision::Wait, reason))
}

/// What keeps the step's pods from working, for people.
pub(super) fn pod_issue(context: &Context<'_>, step: &ValidStep) -> Option<String> {
    let pod_issue = context.observed.steps.get(&step.name)?.pod_issues.first()?;
    Some(format!("{}: {}", pod_issue.reason, pod_issue.message))
}
