//! Times that were told once stay: a run's end is known first from its pod and, when that has gone, from its Job, which learned of it
//! a moment later. To tell that again would be a write for each pod that is collected.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use mlpipeline_crds::MLPipelineStatus;

/// How far two tellers of one time may be apart, in seconds.
const TOLERANCE: i64 = 60;

/// Puts the times of the status before in the place of those that mean the same.
pub(super) fn keep(before: &MLPipelineStatus, next: &mut MLPipelineStatus) {
    for step in &mut next.steps {
        let same_run = before.steps.iter().find(|told| {
            told.name == step.name && told.revision == step.revision && told.workload == step.workload
        });
        // A start that is another one is that of another run by the same name.
        if let Some(told) = same_run.filter(|told| is_about(told.started.as_ref(), step.started.as_ref())) {
            keep_one(told.started.as_ref(), &mut step.started);
            keep_one(told.finished.as_ref(), &mut step.finished);
        }
    }
    for model in &mut next.models {
        let same_model = before.models.iter().find(|told| {
            told.step == model.step && told.revision == model.revision && told.digest == model.digest
        });
        if let Some(told) = same_model {
            keep_one(told.trained.as_ref(), &mut model.trained);
        }
    }
}

fn keep_one(told: Option<&Time>, found: &mut Option<Time>) {
    if let Some(told) = told
        && found.is_some()
        && is_about(Some(told), found.as_ref())
    {
        *found = Some(told.clone());
    }
}

/// Whether two tellers may mean the same time; one that does not tell contradicts nobody.
fn is_about(told: Option<&Time>, found: Option<&Time>) -> bool {
    let (Some(told), Some(found)) = (told, found) else { return true };
    told.0.as_second().saturating_sub(found.0.as_second()).saturating_abs() <= TOLERANCE
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use mlpipeline_crds::{StepKind, StepState, StepStatus};
    use std::collections::BTreeMap;

    fn at(second: i64) -> Option<Time> {
        Some(Time(Timestamp::from_second(second).expect("a time")))
    }

    fn told(workload: &str, finished: Option<Time>) -> MLPipelineStatus {
        let step = StepStatus {
            name: "train".into(),
            kind: StepKind::Train,
            state: StepState::Done,
            revision: Some("r".into()),
            workload: Some(workload.into()),
            started: at(100),
            finished,
            attempts: None,
            message: None,
            metrics: BTreeMap::new(),
        };
        MLPipelineStatus { steps: vec![step], ..MLPipelineStatus::default() }
    }

    #[test]
    fn l6_a_time_that_was_told_stays_when_another_teller_is_a_moment_later() {
        let before = told("Job/a", at(200));
        let kept = |mut next: MLPipelineStatus| {
            keep(&before, &mut next);
            next.steps[0].finished.clone()
        };
        assert_eq!(kept(told("Job/a", at(203))), at(200));
        assert_eq!(kept(told("Job/a", at(300))), at(300), "too far apart to be the same");
        assert_eq!(kept(told("Job/b", at(203))), at(203), "another run");
        assert_eq!(kept(told("Job/a", None)), None, "nothing is made up");
        let mut again = told("Job/a", at(203));
        again.steps[0].started = at(190);
        assert_eq!(kept(again), at(203), "made anew by the same name");
        let mut first = told("Job/a", at(203));
        keep(&told("Job/a", None), &mut first);
        assert_eq!(first.steps[0].finished, at(203));
    }
}
