//! The events between two statuses. Pure.

use k8s_openapi::api::core::v1::ObjectReference;
use kube::runtime::events::{Event, EventType};
use mlpipeline_crds::{MLPipelineStatus, StepState, StepStatus};

use crate::installed_crd::OUTDATED;
use mlpipeline_core::reason::general::is_general;
use mlpipeline_core::reason::{NO_EXTERNAL_ADDRESS, NOT_AUTOSCALED, RUN_REMOVED, Reason, StepEvent};
use mlpipeline_core::status::Problem;
use mlpipeline_core::status::conditions::{READY, SERVING};

/// The longest note that an event may have, in bytes.
const NOTE_LIMIT: usize = 1024;

/// How many steps an event names.
const NAMES: usize = 10;
/// The reason of a step, or several, that are done.
const DONE: &str = "StepDone";

/// The events between the stored status and the next: steps that ended, and a pipeline that became ready or failed.
pub(super) fn transitions(
    namespace: Option<&str>,
    stored: Option<&MLPipelineStatus>,
    next: &MLPipelineStatus,
) -> Vec<Event> {
    let before = |step: &StepStatus| {
        stored.and_then(|stored| stored.steps.iter().find(|before| before.name == step.name))
    };
    let changed = next.steps.iter().filter(|step| is_changed(before(step), step));
    let (done, others): (Vec<&StepStatus>, Vec<&StepStatus>) =
        changed.partition(|step| step.state == StepState::Done);
    let mut events: Vec<Event> = match done.as_slice() {
        [] => Vec::new(),
        [step] => of_step(namespace, step).into_iter().collect(),
        [.., last] => vec![of_done(namespace, &done, last)],
    };
    events.extend(others.into_iter().filter_map(|step| of_step(namespace, step)));
    events.extend(next.steps.iter().filter_map(|step| of_removed_run(namespace, before(step)?, step)));
    let is_reported = events.iter().any(|event| matches!(event.type_, EventType::Warning));
    events.extend(of_pipeline(stored, next, is_reported));
    events.extend(of_serving(stored, next));
    events.extend(of_definition(stored, next));
    events
}

/// A pipeline whose fields may have been dropped.
fn of_definition(stored: Option<&MLPipelineStatus>, next: &MLPipelineStatus) -> Option<Event> {
    let outdated = |status: &MLPipelineStatus| {
        status.conditions.iter().find(|condition| condition.type_ == OUTDATED).cloned()
    };
    let now = outdated(next).filter(|_| stored.and_then(outdated).is_none())?;
    Some(warning(&Problem { reason: now.reason, message: now.message, transient: false }))
}

/// A step that runs again since something else deleted its Job. What counts is that a Job is there, so nothing else could be done.
fn of_removed_run(namespace: Option<&str>, before: &StepStatus, step: &StepStatus) -> Option<Event> {
    let job = before.workload.as_deref()?.strip_prefix("Job/")?;
    let words = Reason::RunRemoved.to_string();
    let says_so = |step: &StepStatus| step.message.as_deref() == Some(words.as_str());
    let is_once_more = before.started.is_some() && step.started.is_none();
    (says_so(step) && (!says_so(before) || is_once_more)).then(|| Event {
        type_: EventType::Warning,
        reason: RUN_REMOVED.to_owned(),
        note: Some(shorten(&format!("{} runs again: something else deleted Job {job}", step.name))),
        action: format!("{:?}", step.kind),
        secondary: Some(workload(namespace, step)),
    })
}

/// A pipeline that serves, and whose autoscaler or load balancer does not work: its pods answer all the same, so that it stays Ready.
fn of_serving(stored: Option<&MLPipelineStatus>, next: &MLPipelineStatus) -> Option<Event> {
    let hindered = |status: &MLPipelineStatus| {
        let serving = status.conditions.iter().find(|condition| condition.type_ == SERVING);
        serving
            .filter(|serving| [NOT_AUTOSCALED, NO_EXTERNAL_ADDRESS].contains(&serving.reason.as_str()))
            .cloned()
    };
    let now = hindered(next)?;
    if stored.and_then(hindered).is_some_and(|before| before.reason == now.reason) {
        return None;
    }
    Some(warning(&Problem { reason: now.reason, message: now.message, transient: true }))
}

fn is_changed(before: Option<&StepStatus>, step: &StepStatus) -> bool {
    before.is_none_or(|before| before.state != step.state || before.revision != step.revision)
}

/// Steps that are done in one status, as one event: where hundreds of pipelines are active, one status covers many steps.
fn of_done(namespace: Option<&str>, steps: &[&StepStatus], last: &StepStatus) -> Event {
    let mut names: Vec<String> = steps.iter().take(NAMES).map(|step| named(step)).collect();
    if steps.len() > NAMES {
        names.push(format!("and {} more", steps.len() - NAMES));
    }
    Event {
        type_: EventType::Normal,
        reason: DONE.to_owned(),
        note: Some(shorten(&format!("{} steps are done: {}", steps.len(), names.join(", ")))),
        action: format!("{:?}", last.kind),
        secondary: Some(workload(namespace, last)),
    }
}

/// A step with its revision.
fn named(step: &StepStatus) -> String {
    let revision = step.revision.as_ref().map(|revision| format!(" ({revision})"));
    format!("{}{}", step.name, revision.unwrap_or_default())
}

fn of_step(namespace: Option<&str>, step: &StepStatus) -> Option<Event> {
    let StepEvent { reason, verb, is_warning } = mlpipeline_core::reason::event(step.state)?;
    let type_ = if is_warning { EventType::Warning } else { EventType::Normal };
    let message = step.message.as_deref().unwrap_or_default();
    Some(Event {
        type_,
        reason: reason.to_owned(),
        note: Some(shorten(&format!("{} {verb}: {message}", named(step)))),
        action: format!("{:?}", step.kind),
        secondary: Some(workload(namespace, step)),
    })
}

/// What did the work. Events about different objects are never aggregated into one.
fn workload(namespace: Option<&str>, step: &StepStatus) -> ObjectReference {
    let (kind, name) = step
        .workload
        .as_deref()
        .and_then(|workload| workload.split_once('/'))
        .unwrap_or(("Step", step.name.as_str()));
    ObjectReference {
        kind: Some(kind.to_owned()),
        name: Some(name.to_owned()),
        namespace: namespace.map(str::to_owned),
        ..ObjectReference::default()
    }
}

fn of_pipeline(
    stored: Option<&MLPipelineStatus>,
    next: &MLPipelineStatus,
    is_reported: bool,
) -> Option<Event> {
    let ready = |status: &MLPipelineStatus| {
        status.conditions.iter().find(|condition| condition.type_ == READY).cloned()
    };
    let now = ready(next)?;
    let before = stored.and_then(ready);
    let event = |type_, reason: &str| Event {
        type_,
        reason: reason.to_owned(),
        note: Some(shorten(&now.message)),
        action: "Reconcile".to_owned(),
        secondary: None,
    };
    if now.status == "True" {
        let was_ready = before.is_some_and(|before| before.status == "True");
        return (!was_ready).then(|| event(EventType::Normal, "Ready"));
    }
    let same_reason = before.is_some_and(|before| before.reason == now.reason);
    let is_new = !same_reason && !is_reported && !is_general(&now.reason);
    is_new.then(|| event(EventType::Warning, &now.reason))
}

/// A warning about a pipeline whose status cannot be written.
pub(super) fn warning(problem: &Problem) -> Event {
    Event {
        type_: EventType::Warning,
        reason: problem.reason.clone(),
        note: Some(shorten(&problem.message)),
        action: "Reconcile".to_owned(),
        secondary: None,
    }
}

fn shorten(text: &str) -> String {
    let end = text
        .char_indices()
        .map(|(at, character)| at + character.len_utf8())
        .take_while(|end| *end <= NOTE_LIMIT);
    text.get(..end.last().unwrap_or_default()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
    use mlpipeline_crds::StepKind;
    use std::collections::BTreeMap;

    fn status(states: &[(&str, StepState)], ready: &str, reason: &str) -> MLPipelineStatus {
        let step = |(name, state): &(&str, StepState)| StepStatus {
            name: (*name).into(),
            kind: StepKind::Run,
            state: *state,
            revision: Some("r".into()),
            workload: Some(format!("Job/{name}")),
            started: None,
            finished: None,
            attempts: None,
            replaced_runs: None,
            message: Some("é".repeat(2000)),
            metrics: BTreeMap::new(),
        };
        let condition = Condition {
            type_: READY.into(),
            status: ready.into(),
            reason: reason.into(),
            message: "m".into(),
            observed_generation: None,
            last_transition_time: Time(jiff::Timestamp::UNIX_EPOCH),
        };
        MLPipelineStatus {
            steps: states.iter().map(step).collect(),
            conditions: vec![condition],
            ..MLPipelineStatus::default()
        }
    }

    fn reasons(before: Option<&MLPipelineStatus>, next: &MLPipelineStatus) -> Vec<String> {
        transitions(Some("ns"), before, next).into_iter().map(|event| event.reason).collect()
    }

    #[test]
    fn a_pipeline_of_three_steps_has_four_events_in_its_life() {
        use StepState::{Done, Running, Waiting};
        let life = [
            status(&[("a", Running), ("b", Waiting), ("c", Waiting)], "False", "Running"),
            status(&[("a", Done), ("b", Running), ("c", Waiting)], "False", "Running"),
            status(&[("a", Done), ("b", Done), ("c", Running)], "False", "Running"),
            status(&[("a", Done), ("b", Done), ("c", Done)], "True", "Done"),
        ];
        let mut all = reasons(None, &life[0]);
        for pair in life.windows(2) {
            all.extend(reasons(Some(&pair[0]), &pair[1]));
        }
        assert_eq!(all, ["StepDone", "StepDone", "StepDone", "Ready"]);
        assert!(reasons(Some(&life[3]), &life[3]).is_empty());
    }

    #[test]
    fn steps_that_are_done_in_one_status_make_one_event() {
        use StepState::{Done, Failed, Running, Waiting};
        let before = status(&[("a", Running), ("b", Waiting), ("c", Waiting)], "False", "Running");
        let next = status(&[("a", Done), ("b", Done), ("c", Failed)], "False", "Failed");
        let events = transitions(Some("ns"), Some(&before), &next);
        assert_eq!(reasons(Some(&before), &next), ["StepDone", "StepFailed"]);
        assert_eq!(events[0].note.as_deref(), Some("2 steps are done: a (r), b (r)"));
        // Events with the same secondary object are counted as one that happens again, with the note of the first.
        assert_eq!(events[0].secondary.as_ref().and_then(|object| object.name.as_deref()), Some("b"));
    }

    #[test]
    fn a_failure_is_reported_once_and_by_the_step_where_there_is_one() {
        let running = status(&[("a", StepState::Running)], "False", "Running");
        let failed = status(&[("a", StepState::Failed)], "False", "ColumnNotFound");
        assert_eq!(reasons(Some(&running), &failed), ["StepFailed"]);
        let quota = status(&[("a", StepState::Running)], "False", "QuotaExceeded");
        assert_eq!(reasons(Some(&running), &quota), ["QuotaExceeded"]);
        assert!(reasons(Some(&quota), &quota).is_empty());
    }

    #[test]
    fn d3_a_run_whose_job_somebody_deleted_is_reported_once_when_it_runs_again() {
        let mut done = status(&[("a", StepState::Done)], "True", "Done");
        done.steps[0].workload = Some("Job/p-a-r".into());
        done.steps[0].finished = Some(Time(jiff::Timestamp::UNIX_EPOCH));
        let mut again = status(&[("a", StepState::Running)], "False", "Running");
        again.steps[0].workload = Some("Job/p-a-r".into());
        assert!(reasons(Some(&done), &again).is_empty());
        again.steps[0].message = Some(Reason::RunRemoved.to_string());
        assert_eq!(reasons(Some(&done), &again), ["RunRemoved"]);
        assert!(reasons(Some(&again), &again).is_empty());
        let mut begun = again.clone();
        begun.steps[0].started = Some(Time(jiff::Timestamp::UNIX_EPOCH));
        assert!(reasons(Some(&again), &begun).is_empty());
        assert_eq!(reasons(Some(&begun), &again), ["RunRemoved"], "and deleted once more");
    }

    #[test]
    fn d3_an_autoscaler_or_a_load_balancer_that_does_not_work_is_reported_once() {
        let serving = |reason: &str| {
            let mut status = status(&[("a", StepState::Serving)], "True", "Serving");
            let (type_, reason) = (SERVING.into(), reason.into());
            status.conditions.push(Condition { type_, reason, ..status.conditions[0].clone() });
            status
        };
        let fine = serving("PodsReady");
        for reason in ["NotAutoscaled", "NoExternalAddress"] {
            let broken = serving(reason);
            assert_eq!(reasons(Some(&fine), &broken), [reason]);
            assert!(reasons(Some(&broken), &broken).is_empty() && reasons(Some(&broken), &fine).is_empty());
        }
    }

    #[test]
    fn dropped_fields_are_reported_once() {
        let done = status(&[("a", StepState::Done)], "True", "Done");
        let mut dropped = done.clone();
        dropped.conditions.push(Condition {
            type_: OUTDATED.into(),
            reason: "FieldsDropped".into(),
            ..done.conditions[0].clone()
        });
        assert_eq!(reasons(Some(&done), &dropped), ["FieldsDropped"]);
        assert!(reasons(Some(&dropped), &dropped).is_empty() && reasons(Some(&dropped), &done).is_empty());
    }

    #[test]
    fn s12_notes_are_bounded_in_bytes() {
        let done = status(&[("a", StepState::Done)], "False", "Running");
        let note = transitions(None, None, &done).remove(0).note.expect("a note");
        assert!(note.len() <= NOTE_LIMIT && note.len() > NOTE_LIMIT - 4);
    }
}
