//! Every sentence about a step, and the words for a decision: in tables, conditions and events.

use std::fmt::{Display, Formatter, Result};

use jiff::Timestamp;
use mlpipeline_crds::{Revision, StepState};

use super::{NewerModel, NextRun, Reason, Scheduled, changes, general};
use crate::decision::Decision;

/// One sentence for people, without a full stop.
impl Display for Reason {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match self {
            Self::UpToDate => write!(out, "up to date"),
            Self::AtWork => write!(out, "at work"),
            Self::PodIssue(issue) => write!(out, "{}: {}", issue.reason, issue.message),
            Self::RunFailed { message, .. } => write!(out, "{message}"),
            Self::FailedBefore { message } => write!(out, "failed before: {message}"),
            Self::GateRejected { verdict } => write!(out, "{verdict}"),
            Self::NeverRun => write!(out, "never run before"),
            Self::SpecChanged { changes } => write!(out, "{}", changes::listed(changes)),
            Self::SettingsChanged { fields, has_failed: true } => {
                write!(out, "{} changed since its run failed; it is tried again", listed(fields))
            }
            Self::SettingsChanged { fields, has_failed: false } => {
                write!(out, "{} changed while its run was not done; the run is replaced", listed(fields))
            }
            Self::PieceDone { piece } => write!(out, "its {} are done", piece.name()),
            Self::ScheduleRemoved => write!(out, "its schedule was removed: it runs once"),
            Self::RunGone { was_read: false } => write!(out, "its run is gone"),
            Self::RunGone { was_read: true } => {
                write!(
                    out,
                    "its run is gone; the step runs again and reuses the artifact if that still exists"
                )
            }
            Self::RunRemoved => write!(out, "at work again: something else deleted its Job"),
            Self::ReportMissing { is_repeated: false } => write!(out, "report missing"),
            Self::ReportMissing { is_repeated: true } => {
                write!(out, "report missing; the step runs again and reuses the existing artifact")
            }
            Self::ReportsMissing { runs } => write!(
                out,
                "{runs} runs succeeded without a report; see their pods, then change the step's rerun to try again"
            ),
            Self::Overwritten { place } => {
                write!(
                    out,
                    "{place} holds what a later run delivered; the existing artifact is delivered again"
                )
            }
            Self::WaitsForInputs => write!(out, "waits for its inputs"),
            Self::WaitsFor { step } => write!(out, "waits for {step}"),
            Self::WaitsForFirstRun { step } => write!(out, "waits for the first run of {step}"),
            Self::InputStopped { step, decision } => write!(out, "{step} {}", stopped(*decision)),
            Self::PredecessorStopped { step, decision } => {
                write!(out, "{step} must be done first, and {}", stopped(*decision))
            }
            Self::InputHasReason { step, reason } => write!(out, "{step}: {reason}"),
            Self::ModelRejected { step, verdict } => {
                write!(out, "the model of {step} was rejected: {verdict}")
            }
            Self::NoSuchStep { step } => write!(out, "there is no step {step}"),
            Self::NoResult { step } => write!(out, "{step} is done and has no result"),
            Self::Suspended => write!(out, "suspended: {}", general::UNTIL_RESUMED),
            Self::ScheduleSuspended => write!(out, "its schedule is suspended"),
            Self::Scheduled(scheduled) => scheduled.fmt(out),
            Self::ScheduleHeldUp { cause, missed, run } => {
                write!(out, "{cause}{}", held_up(*missed, run.as_deref()))
            }
            Self::RunsReplaced { cause, runs } => write!(
                out,
                "{cause}; the last {runs} runs of its schedule were each replaced by the next before they ended"
            ),
            Self::RollsOut { model } => write!(out, "rolls out model {model}"),
            Self::PodsStarting { ready, desired } => write!(out, "{ready} of {} ready", pods_are(*desired)),
            Self::PodsReady { ready: 0 } => write!(out, "no pods are wanted"),
            Self::PodsReady { ready } => write!(out, "{} ready", pods_are(*ready)),
            Self::PodsServe { ready, model, newer } => {
                write!(out, "{}{}", pods_serve(*ready, model), newer_model(newer.as_ref()))
            }
            Self::NotAutoscaled { pods, why } | Self::NoExternalAddress { pods, why } => {
                write!(out, "{pods}; {}", why.message)
            }
            Self::Keeps { model: Some(model), held } => write!(out, "keeps serving {model}; {held}"),
            Self::Keeps { model: None, held } => write!(out, "keeps running as it is; {held}"),
            Self::RunsWithLocal => write!(out, "runs as long as local does"),
        }
    }
}

impl Display for Scheduled {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        let next = match self.next {
            NextRun::At(time) => format!("next run {}", minute(time)),
            NextRun::Suspended => "suspended".to_owned(),
            NextRun::Never => "its schedule never fires".to_owned(),
        };
        let next = match self.changes.as_slice() {
            [] => next,
            changes => format!("{next}, with a change: {}", changes::listed(changes)),
        };
        match &self.last {
            None => write!(out, "{next}"),
            Some(held) if self.keeps_inputs => {
                write!(out, "{held}; continues with its earlier inputs, {next}")
            }
            Some(last) if self.is_failure_before_edit() => {
                write!(out, "{next}; the run before failed: {last}")
            }
            Some(last) => write!(out, "{last}; {next}"),
        }
    }
}

/// How many pods serve a model.
fn pods_serve(ready: i32, model: &Revision) -> String {
    match ready {
        0 => format!("scaled to zero; no pod serves model {model}"),
        1 => format!("1 pod serves model {model}"),
        many => format!("{many} pods serve model {model}"),
    }
}

/// What follows the model that pods serve, where there is something to say of a newer one.
fn newer_model(newer: Option<&NewerModel>) -> String {
    match newer {
        None => String::new(),
        Some(NewerModel::ServedIsRejected { verdict }) => {
            format!(", which the current gate rejects: {verdict}")
        }
        Some(NewerModel::IsNotUsable { step, decision: Decision::Rejected }) => {
            format!("; the newer model of {step} was rejected")
        }
        Some(NewerModel::IsNotUsable {
            step,
            decision: decision @ (Decision::Failed | Decision::Blocked),
        }) => {
            format!("; {step} {}, so there is no newer model", stopped(*decision))
        }
        Some(NewerModel::IsNotUsable { step, .. }) => format!("; a newer model of {step} is not ready yet"),
    }
}

/// What to say of a step that will not get to a result without somebody's help; the verb behind its name.
fn stopped(decision: Decision) -> &'static str {
    match decision {
        Decision::Failed => "failed",
        Decision::Rejected => "was rejected by its gate",
        Decision::Blocked => "is blocked",
        Decision::Done | Decision::Run | Decision::Running | Decision::Wait => "is not done",
    }
}

/// What follows the cause that holds a schedule up.
fn held_up(missed: Option<Timestamp>, run: Option<&str>) -> String {
    let missed = missed
        .map(|missed| format!("; no run has begun at the schedule's times since {}", minute(missed)))
        .unwrap_or_default();
    let run = run
        .map(|run| format!("; the next begins when Job {run} has ended or is deleted"))
        .unwrap_or_default();
    missed + &run
}

fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// The first fields by name, and how many more there are.
fn listed(fields: &[String]) -> String {
    match fields {
        [first, second, _, _, ..] => format!("{first}, {second} and {} more", fields.len() - 2),
        fields => fields.join(", "),
    }
}

fn pods_are(count: i32) -> String {
    if count == 1 { "1 pod is".to_owned() } else { format!("{count} pods are") }
}

/// The word for a decision in a table of what would be done.
#[must_use]
pub fn action(decision: Decision) -> &'static str {
    match decision {
        Decision::Done => "up to date",
        Decision::Run => "run",
        Decision::Running => "running",
        Decision::Wait => "wait",
        Decision::Blocked => "blocked",
        Decision::Rejected => "rejected",
        Decision::Failed => "failed",
    }
}

/// The reason of the pipeline's conditions while this step is what stands in the way: its own code where somebody has to act
/// on it, a general one where all is on its way.
#[must_use]
pub fn condition(decision: Decision, reason: &Reason) -> &str {
    match (decision, reason) {
        (Decision::Failed | Decision::Rejected, _) => reason.code(),
        (Decision::Blocked, _) => "Blocked",
        (_, Reason::PodIssue(_) | Reason::ScheduleHeldUp { .. } | Reason::RunsReplaced { .. }) => {
            reason.code()
        }
        (Decision::Wait, _) => general::WAITING,
        (Decision::Run | Decision::Running | Decision::Done, _) => general::RUNNING,
    }
}

/// What an event says of a step that got to this state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepEvent {
    /// The event's reason.
    pub reason: &'static str,
    /// The verb behind the step's name.
    pub verb: &'static str,
    /// Whether it is a warning.
    pub is_warning: bool,
}

/// The event for a step that got to this state; `None` for states on the way.
#[must_use]
pub fn event(state: StepState) -> Option<StepEvent> {
    let (reason, verb, is_warning) = match state {
        StepState::Done => ("StepDone", "is done", false),
        StepState::Serving => ("RolledOut", "is rolled out", false),
        StepState::Failed => ("StepFailed", stopped(Decision::Failed), true),
        StepState::Rejected => ("ModelRejected", stopped(Decision::Rejected), true),
        StepState::Waiting | StepState::Running | StepState::Blocked | StepState::Suspended => return None,
    };
    Some(StepEvent { reason, verb, is_warning })
}
