//! What a run that took too long waited for last. Kubernetes deletes its pods when the time is over, and they alone said it: the status
//! before still does.

use std::borrow::Cow;

use mlpipeline_crds::{MLPipelineStatus, StepState, StepStatus};

use crate::plan::{Plan, Reason, StepPlan};

/// The Job controller's reason for a run that took too long.
const TIMED_OUT: &str = "DeadlineExceeded";
/// What leads to the last wait, in brackets, which show where it ends.
const BEFORE: &str = " [before that: ";

/// A plan in which runs that took too long also say what they waited for last, as far as the status before says it.
pub(super) fn with_last_wait<'a>(plan: &'a Plan, previous: Option<&MLPipelineStatus>) -> Cow<'a, Plan> {
    let mut plan = Cow::Borrowed(plan);
    let reported = previous.map(|status| status.steps.as_slice()).unwrap_or_default();
    for at in 0..plan.steps.len() {
        let Some(step) = plan.steps.get(at) else { continue };
        let before = reported.iter().find(|before| is_of_run(before, step));
        let Some(longer) = before.and_then(|before| with_wait(timed_out(&step.reason)?, before)) else {
            continue;
        };
        if let Some(message) =
            plan.to_mut().steps.get_mut(at).and_then(|step| timed_out_mut(&mut step.reason))
        {
            *message = longer;
        }
    }
    plan
}

/// Whether a step's status before is about the run that the step stands by now.
fn is_of_run(before: &StepStatus, step: &StepPlan) -> bool {
    let run = step.run.as_ref().map(|run| format!("Job/{run}"));
    before.name == step.name && run.is_some() && before.workload == run
}

/// The message of a run that took too long, with what the status before says it waited for.
fn with_wait(message: &str, before: &StepStatus) -> Option<String> {
    let said = before.message.as_deref()?;
    match before.state {
        StepState::Running if said != Reason::AtWork.to_string() => Some(format!("{message}{BEFORE}{said}]")),
        StepState::Failed if said.starts_with(&format!("{message}{BEFORE}")) => {
            Some(said.rfind(']').and_then(|end| said.get(..=end)).unwrap_or(said).to_owned())
        }
        _ => None,
    }
}

fn timed_out(reason: &Reason) -> Option<&str> {
    match reason {
        Reason::RunFailed { reason, message } if reason == TIMED_OUT => Some(message),
        Reason::Scheduled(scheduled) => timed_out(scheduled.last.as_deref()?),
        _ => None,
    }
}

fn timed_out_mut(reason: &mut Reason) -> Option<&mut String> {
    match reason {
        Reason::RunFailed { reason, message } if reason == TIMED_OUT => Some(message),
        Reason::Scheduled(scheduled) => timed_out_mut(scheduled.last.as_deref_mut()?),
        _ => None,
    }
}
