//! Runs that are tried again because what they are executed with was changed. Must not touch a run that ended well, nor one whose
//! pods are at work.

use super::changed_settings::changed;
use super::context::Context;
use super::held_back::held_back;
use super::inputs::Inputs;
use super::start::start;
use super::step_plan::StepPlan;
use crate::fingerprint::Fingerprint;
use crate::observed::{ObservedRun, RunPhase};
use crate::pipeline::ValidStep;
use crate::reason::Reason;

/// The decision for a run that failed for good, or none of whose pods is at work, where the step's execution settings were changed
/// since it was started. A run that does not say what it was started with is left as it is: an earlier version created it.
pub(super) fn retry(
    context: &Context<'_>,
    step: &ValidStep,
    inputs: &Inputs,
    fingerprint: &Fingerprint,
    run: &ObservedRun,
) -> Option<StepPlan> {
    let has_failed = match &run.phase {
        RunPhase::Failed { .. } => true,
        RunPhase::Active if run.is_idle => false,
        RunPhase::Active | RunPhase::Succeeded => return None,
    };
    let fields = changed(context, step, run);
    if fields.is_empty() {
        return None;
    }
    let plan = held_back(context, step, inputs).unwrap_or_else(|| {
        let reason = Reason::SettingsChanged { fields, has_failed };
        start(context, step, fingerprint.clone(), run.piece, run.attempt.saturating_add(1), reason)
    });
    if has_failed {
        return Some(StepPlan { run: Some(run.name.clone()), ..plan });
    }
    // The pending run is deleted only where another takes its place.
    plan.work.is_some().then_some(plan)
}
