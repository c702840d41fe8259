//! Whether pods answer predictions, and whether their number is what the spec asks for.

use super::conditions::SERVING;
use super::{Statement, statement as say};
use crate::observed::Observed;
use crate::plan::{Plan, Reason, StepPlan};

/// The statement of a pipeline that serves.
pub(super) fn statement(plan: &Plan, observed: &Observed) -> Option<Statement> {
    let serving: Vec<&StepPlan> = plan.steps.iter().filter(|step| step.kind.answers_predictions()).collect();
    if serving.is_empty() {
        return None;
    }
    let long_running =
        serving.iter().filter_map(|step| observed.steps.get(&step.name)?.long_running.as_ref());
    let ready: i32 = long_running.map(|found| found.ready).sum();
    let answer = match ready {
        0 => "no pod answers predictions".to_owned(),
        1 => "1 pod answers predictions".to_owned(),
        many => format!("{many} pods answer predictions"),
    };
    let hindered = serving.iter().find_map(|step| match &step.reason {
        reason @ (Reason::NotAutoscaled { why, .. } | Reason::NoExternalAddress { why, .. }) => {
            let message = format!("{answer}; {}: {}", step.name, why.message);
            Some(say(SERVING, ready > 0, reason.code(), &message))
        }
        _ => None,
    });
    let reason = if ready > 0 { "PodsReady" } else { "NoReadyPods" };
    Some(hindered.unwrap_or_else(|| say(SERVING, ready > 0, reason, &answer)))
}
