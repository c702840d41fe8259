//! Times that were reported once stay: a run's end is known first from its pod and, when that has gone, from its Job, which learned of it
//! a moment later. To report that again would be a write for each pod that is collected.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use mlpipeline_crds::MLPipelineStatus;

/// How far two reports of one time may be apart, in seconds.
const TOLERANCE: i64 = 60;

/// Puts the times of the status before in the place of those that mean the same.
pub(super) fn keep(before: &MLPipelineStatus, next: &mut MLPipelineStatus) {
    for step in &mut next.steps {
        let same_run = before.steps.iter().find(|reported| {
            reported.name == step.name
                && reported.revision == step.revision
                && reported.workload == step.workload
        });
        // A start that is another one is that of another run by the same name.
        if let Some(reported) =
            same_run.filter(|reported| is_about(reported.started.as_ref(), step.started.as_ref()))
        {
            keep_one(reported.started.as_ref(), &mut step.started);
            keep_one(reported.finished.as_ref(), &mut step.finished);
        }
    }
    for model in &mut next.models {
        let same_model = before.models.iter().find(|reported| {
            reported.step == model.step
                && reported.revision == model.revision
                && reported.digest == model.digest
        });
        if let Some(reported) = same_model {
            keep_one(reported.trained.as_ref(), &mut model.trained);
        }
    }
}

fn keep_one(reported: Option<&Time>, found: &mut Option<Time>) {
    if let Some(reported) = reported
        && found.is_some()
        && is_about(Some(reported), found.as_ref())
    {
        *found = Some(reported.clone());
    }
}

/// Whether two reports may mean the same time; one that is missing contradicts nothing.
fn is_about(reported: Option<&Time>, found: Option<&Time>) -> bool {
    let (Some(reported), Some(found)) = (reported, found) else { return true };
    reported.0.as_second().saturating_sub(found.0.as_second()).saturating_abs() <= TOLERANCE
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

    fn reported(workload: &str, finished: Option<Time>) -> MLPipelineStatus {
        let step = StepStatus {
            name: "train".into(),
            kind: StepKind::Train,
            state: StepState::Done,
            revision: Some("r".into()),
            workload: Some(workload.into()),
            started: at(100),
            finished,
            attempts: None,
            replaced_runs: None,
            message: None,
            metrics: BTreeMap::new(),
        };
        MLPipelineStatus { steps: vec![step], ..MLPipelineStatus::default() }
    }

    #[test]
    fn l6_a_reported_time_stays_when_another_source_is_a_moment_later() {
        let before = reported("Job/a", at(200));
        let kept = |mut next: MLPipelineStatus| {
            keep(&before, &mut next);
            next.steps[0].finished.clone()
        };
        assert_eq!(kept(reported("Job/a", at(203))), at(200));
        assert_eq!(kept(reported("Job/a", at(300))), at(300), "too far apart to be the same");
        assert_eq!(kept(reported("Job/b", at(203))), at(203), "another run");
        assert_eq!(kept(reported("Job/a", None)), None, "nothing is made up");
        let mut again = reported("Job/a", at(203));
        again.steps[0].started = at(190);
        assert_eq!(kept(again), at(203), "made anew by the same name");
        let mut first = reported("Job/a", at(203));
        keep(&reported("Job/a", None), &mut first);
        assert_eq!(first.steps[0].finished, at(203));
    }
}
