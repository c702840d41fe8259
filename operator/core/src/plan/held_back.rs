//! Steps that must not start yet, because of what they read or follow.

use super::context::{Context, entry};
use super::inputs::Inputs;
use super::step_plan::StepPlan;
use crate::decision::Decision;
use crate::pipeline::ValidStep;
use crate::reason::Reason;

/// The decision for a step that must not start yet, because of what it reads or follows.
pub(super) fn held_back(context: &Context<'_>, step: &ValidStep, inputs: &Inputs) -> Option<StepPlan> {
    if let Some(reason) = inputs.missing() {
        return Some(entry(step, Decision::Blocked, reason.clone()));
    }
    let mut waits = inputs.coming().cloned();
    for name in &step.after {
        let other = name.clone();
        match context.planned(name).map(|plan| plan.decision) {
            Some(Decision::Done) => {}
            Some(decision @ (Decision::Blocked | Decision::Rejected | Decision::Failed)) => {
                let reason = Reason::PredecessorStopped { step: other, decision };
                return Some(entry(step, Decision::Blocked, reason));
            }
            None => return Some(entry(step, Decision::Blocked, Reason::NoSuchStep { step: other })),
            Some(Decision::Run | Decision::Running | Decision::Wait) => {
                waits = waits.or(Some(Reason::WaitsFor { step: other }));
            }
        }
    }
    waits.map(|reason| entry(step, Decision::Wait, reason))
}
