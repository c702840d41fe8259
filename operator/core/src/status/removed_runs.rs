//! Runs whose Jobs something else deleted, at work or done. The step runs again, and only the status before still has the run that is gone.
//! Must not say what runs.

use std::borrow::Cow;

use mlpipeline_crds::{MLPipelineStatus, StepStatus};

use crate::observed::{Observed, ObservedRun};
use crate::plan::{Plan, Reason, StepPlan};

/// A plan in which steps that run again since something else deleted their Job say so, as long as that run is at work.
pub(super) fn with_removed_runs<'a>(
    plan: &'a Plan,
    observed: &Observed,
    previous: Option<&MLPipelineStatus>,
) -> Cow<'a, Plan> {
    let reported = previous.map(|status| status.steps.as_slice()).unwrap_or_default();
    let mut plan = Cow::Borrowed(plan);
    for before in reported {
        let is_of_before = |step: &StepPlan| step.name == before.name && step.reason == Reason::AtWork;
        let Some(at) = plan.steps.iter().position(is_of_before) else { continue };
        let runs = observed.steps.get(&before.name).map(|found| found.runs.as_slice()).unwrap_or_default();
        let run_of = |step: &StepPlan| runs.iter().find(|run| Some(&run.name) == step.run.as_ref());
        let is_again = plan.steps.get(at).is_some_and(|step| {
            run_of(step)
                .is_some_and(|run| is_in_place_of_another(before, step, run, runs) || is_known(before, run))
        });
        if is_again && let Some(step) = plan.to_mut().steps.get_mut(at) {
            step.reason = Reason::RunRemoved;
        }
    }
    plan
}

/// Whether a run does the work of a Job that the status before reports and that is gone. A new Job of the same name differs from the old one in its
/// time: it was created after the old one had started, and has not started before that.
fn is_in_place_of_another(
    before: &StepStatus,
    step: &StepPlan,
    run: &ObservedRun,
    runs: &[ObservedRun],
) -> bool {
    let (Some(started), Some(created)) = (before.started.as_ref(), run.created) else { return false };
    let Some(job) = before.workload.as_deref().and_then(|workload| workload.strip_prefix("Job/")) else {
        return false;
    };
    let is_same_work =
        before.revision.is_some() && before.revision == step.revision.as_ref().map(ToString::to_string);
    let is_later = created > started.0 && run.started.is_none_or(|began| began >= created);
    // A further attempt and another piece of the run are of ours: only the first attempt, in the place of a later one, is not.
    let attempt = job.strip_prefix(&run.name).and_then(|rest| rest.strip_prefix('-'));
    let was_attempt = attempt.is_some_and(|number| number.parse::<u32>().is_ok());
    let is_gone = job == run.name || (was_attempt && runs.iter().all(|other| other.name != job));
    !run.scheduled && is_same_work && is_later && is_gone
}

/// Whether that was reported of this run already. One that a queue has taken the room from says what it waits for.
fn is_known(before: &StepStatus, run: &ObservedRun) -> bool {
    (before.started.is_none() || run.started.is_some())
        && before.workload.as_deref() == Some(format!("Job/{}", run.name).as_str())
        && before.message.as_deref() == Some(Reason::RunRemoved.to_string().as_str())
}
