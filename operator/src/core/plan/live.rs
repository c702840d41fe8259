//! The decision for a step that runs all the time: what serves, and run steps that are no Jobs.

use mlpipeline_crds::Revision;

use super::decide::{Context, entry, held_back, trouble};
use super::inputs::Inputs;
use super::{Decision, LiveWork, StepPlan, Work, task};
use crate::core::meaning::Meaning;
use crate::core::observed::ObservedLive;
use crate::core::pipeline::{ValidAction, ValidStep};

pub(super) fn decide(context: &Context<'_>, step: &ValidStep, inputs: &Inputs) -> StepPlan {
    let observed = context.observed.steps.get(&step.name).and_then(|step| step.live.as_ref());
    if let Some(held) =
        held_back(context, step, inputs).filter(|_| observed.is_none() || inputs.revisions().is_none())
    {
        let serving = observed.and_then(|live| live.model.as_ref());
        let reason = match serving {
            Some(model) => format!("goes on serving {model}; {}", held.reason),
            None => held.reason.clone(),
        };
        return StepPlan { reason, ..held };
    }
    let Some(revisions) = inputs.revisions() else {
        return entry(step, Decision::Wait, "waits for what it reads");
    };
    if context.pipeline.suspend && observed.is_none() {
        return entry(step, Decision::Wait, "suspended: nothing new is started until suspend is taken away");
    }
    let model = revisions.get("model").filter(|_| matches!(step.action, ValidAction::Serve(_))).cloned();
    let meaning = Meaning::of(context.pipeline, step, revisions);
    let key = meaning.key();
    let (decision, reason) = progress(context, step, observed, &key, model.as_ref());
    let live = LiveWork { key: key.clone(), model, task: task::live(context, step, &meaning) };
    StepPlan { revision: Some(key), work: Some(Work::Live(live)), ..entry(step, decision, reason) }
}

/// How far the pods are.
fn progress(
    context: &Context<'_>,
    step: &ValidStep,
    observed: Option<&ObservedLive>,
    key: &Revision,
    model: Option<&Revision>,
) -> (Decision, String) {
    let Some(live) = observed else { return (Decision::Run, "never run before".to_owned()) };
    if live.key.as_ref() != Some(key) {
        let reason = match model {
            Some(model) if live.model.as_ref() != Some(model) => format!("rolls out model {model}"),
            _ => "its spec changed".to_owned(),
        };
        return (Decision::Run, reason);
    }
    if live.settled && live.updated_ready >= live.desired {
        return (Decision::Done, standing(context, step, live, model));
    }
    let reason = trouble(context, step)
        .unwrap_or_else(|| format!("{} of {} pods are ready", live.updated_ready, live.desired));
    (Decision::Running, reason)
}

/// What to say of pods that are all well: how many, what they serve, and why not something newer.
fn standing(
    context: &Context<'_>,
    step: &ValidStep,
    live: &ObservedLive,
    model: Option<&Revision>,
) -> String {
    let Some(model) = model else { return format!("{} pods are ready", live.updated_ready) };
    let serves = format!("{} pods serve model {model}", live.updated_ready);
    let source =
        step.reads().into_iter().find(|read| read.is_model).and_then(|read| context.planned(&read.step));
    match source {
        Some(train) if train.revision.as_ref() != Some(model) => {
            let word = match train.decision {
                Decision::Refused => "was refused",
                Decision::Failed => "failed",
                Decision::Blocked => "is blocked",
                _ => "is not there yet",
            };
            format!("{serves}; the one of {} as it is now {word}", train.name)
        }
        _ => serves,
    }
}
