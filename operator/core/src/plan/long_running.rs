//! The decision for a step that runs all the time: what serves, and run steps that are no Jobs.

use std::collections::BTreeMap;

use mlpipeline_crds::Revision;

use super::decide::{Context, entry, held_back, pod_issue};
use super::inputs::{Inputs, read_now};
use super::{Decision, LongRunningWork, StepPlan, Work, task};
use crate::fingerprint::Fingerprint;
use crate::observed::ObservedLongRunning;
use crate::pipeline::{ValidAction, ValidStep};

pub(super) fn decide(context: &Context<'_>, step: &ValidStep, inputs: &Inputs) -> StepPlan {
    let observed = context.observed.steps.get(&step.name).and_then(|step| step.long_running.as_ref());
    let held = held_back(context, step, inputs);
    let ready = inputs.ready_or(&BTreeMap::new());
    match (held, ready, observed) {
        (None, None, _) => entry(step, Decision::Wait, "waits for what it reads"),
        (None, Some(_), None) if context.pipeline.suspend => {
            entry(step, Decision::Wait, "suspended: nothing new is started until suspend is taken away")
        }
        // What `after` names must be done before the first pod; pods that are there are kept up to date all the same.
        (None, Some(revisions), _) | (Some(_), Some(revisions), Some(_)) => {
            let work = work(context, step, revisions);
            let (decision, reason) = progress(context, step, observed, &work);
            with_work(entry(step, decision, reason), work)
        }
        (Some(held), _, None) => held,
        // Pods that are there go on with what they read, and take up every other change.
        (Some(held), None, Some(live)) => {
            let goes_on = match &live.model {
                Some(model) => format!("goes on serving {model}"),
                None => "goes on as it is".to_owned(),
            };
            let reason = format!("{goes_on}; {}", held.reason);
            let plan = StepPlan { reason, ..held };
            match inputs.ready_or(&read_now(context, step)) {
                Some(revisions) => with_work(plan, work(context, step, revisions)),
                None => plan,
            }
        }
    }
}

fn with_work(plan: StepPlan, work: LongRunningWork) -> StepPlan {
    StepPlan { revision: Some(work.key.clone()), work: Some(Work::LongRunning(work)), ..plan }
}

fn work(context: &Context<'_>, step: &ValidStep, revisions: BTreeMap<String, Revision>) -> LongRunningWork {
    let model = revisions.get("model").filter(|_| matches!(step.action, ValidAction::Serve(_))).cloned();
    let fingerprint = Fingerprint::of(context.pipeline, step, revisions);
    let task = task::long_running(context, step, &fingerprint);
    LongRunningWork { key: fingerprint.key(), fingerprint, model, task }
}

/// How far the pods are.
fn progress(
    context: &Context<'_>,
    step: &ValidStep,
    observed: Option<&ObservedLongRunning>,
    work: &LongRunningWork,
) -> (Decision, String) {
    let Some(live) = observed else { return (Decision::Run, "never run before".to_owned()) };
    if live.key.as_ref() != Some(&work.key) {
        let difference = live.fingerprint.as_ref().and_then(|earlier| work.fingerprint.difference(earlier));
        let reason = match &work.model {
            Some(model) if live.model.as_ref() != Some(model) => format!("rolls out model {model}"),
            _ => difference.unwrap_or_else(|| "its spec changed".to_owned()),
        };
        return (Decision::Run, reason);
    }
    if live.settled && live.updated_ready >= live.desired {
        return (Decision::Done, standing(context, step, live, work.model.as_ref()));
    }
    let reason = pod_issue(context, step)
        .unwrap_or_else(|| format!("{} of {} ready", live.updated_ready, are(live.desired)));
    (Decision::Running, reason)
}

/// What to say of pods that are all well: how many, what they serve, and why not something newer.
fn standing(
    context: &Context<'_>,
    step: &ValidStep,
    live: &ObservedLongRunning,
    model: Option<&Revision>,
) -> String {
    let count = live.updated_ready;
    let Some(model) = model else {
        return format!("{} ready", are(count));
    };
    let serves = match count {
        1 => format!("1 pod serves model {model}"),
        count => format!("{count} pods serve model {model}"),
    };
    let source =
        step.reads().into_iter().find(|read| read.is_model).and_then(|read| context.planned(&read.step));
    match source {
        Some(train) if train.revision.as_ref() != Some(model) => {
            let word = match train.decision {
                Decision::Rejected => "was refused",
                Decision::Failed => "failed",
                Decision::Blocked => "is blocked",
                _ => "is not there yet",
            };
            format!("{serves}; the one of {} as it is now {word}", train.name)
        }
        Some(train) if train.decision == Decision::Rejected => {
            format!("{serves}, which the gate as it is now refuses: {}", train.reason)
        }
        _ => serves,
    }
}

fn are(count: i32) -> String {
    if count == 1 { "1 pod is".to_owned() } else { format!("{count} pods are") }
}
