//! What a run was executed with, beside what it would be executed with now. Must not decide what follows from a difference.

use super::context::{Context, pod_issue};
use crate::execution_settings::ExecutionSettings;
use crate::fingerprint::Fingerprint;
use crate::observed::{ObservedRun, PodIssue, RunPhase};
use crate::pipeline::ValidStep;
use crate::reason::Reason;

/// What changed of that with which a run is executed, since it was started; nothing where the run does not say.
pub(super) fn changed(context: &Context<'_>, step: &ValidStep, run: &ObservedRun) -> Vec<String> {
    let Some(earlier) = run.settings.as_ref() else { return Vec::new() };
    let mut fields = ExecutionSettings::of(context.pipeline, step).difference(earlier);
    if run.is_idle && waits_for_another_image(context, step, run) {
        fields.push("the operator's worker image".to_owned());
    }
    fields
}

/// Why a run of a step with a schedule, none of whose pods is at work and which something keeps from it, should go: what it does or what it is executed with was changed since. It
/// cannot begin as it is, or not as the spec has it now, and it keeps the schedule from the next.
pub(super) fn gives_way(context: &Context<'_>, step: &ValidStep, run: &ObservedRun) -> Option<Reason> {
    let counts = run.scheduled || step.schedule.is_some();
    // One that will begin in a moment, or is about to be tried again, is left to its time.
    let is_stuck = run.is_idle && run.phase == RunPhase::Active && pod_issue(context, step).is_some();
    if !counts || !is_stuck {
        return None;
    }
    // What it reads changes all the time, and is what its own time was for.
    let now = |earlier: &Fingerprint| Fingerprint::of(context.pipeline, step, earlier.inputs.clone());
    let changes = run.fingerprint.as_ref().map(|earlier| now(earlier).changes(earlier)).unwrap_or_default();
    if !changes.is_empty() {
        return Some(Reason::SpecChanged { changes });
    }
    let fields = changed(context, step, run);
    (!fields.is_empty()).then_some(Reason::SettingsChanged { fields, has_failed: false })
}

/// Whether a run waits for an image that cannot be pulled, and that was the operator's default when the run was started and is so no more.
fn waits_for_another_image(context: &Context<'_>, step: &ValidStep, run: &ObservedRun) -> bool {
    let observed = context.observed;
    let is_other = run.default_image.is_some()
        && observed.default_image.is_some()
        && run.default_image != observed.default_image;
    let issues = observed.steps.get(&step.name).map(|found| found.pod_issues.as_slice()).unwrap_or_default();
    is_other && context.pipeline.image.is_none() && issues.iter().any(PodIssue::is_of_image)
}
