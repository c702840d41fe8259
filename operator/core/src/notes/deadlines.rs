//! Deadlines of schedules that the CronJob controller may always be too late for.

use crate::pipeline::ValidatedPipeline;

/// How often the controller looks, in seconds, by the documentation of CronJobs.
const CONTROLLER_PERIOD: i64 = 10;

/// A sentence for each step whose runs may start at most a few seconds late.
pub(super) fn notes(pipeline: &ValidatedPipeline) -> Vec<String> {
    let of_step = pipeline.steps.iter().filter_map(|step| {
        let deadline = step.schedule.as_ref()?.spec.starting_deadline_seconds?;
        (deadline < CONTROLLER_PERIOD).then(|| {
            format!(
                "step {} has schedule.startingDeadlineSeconds: {deadline}, and Kubernetes looks at schedules every {CONTROLLER_PERIOD} seconds: runs may never \
                 start; write {CONTROLLER_PERIOD} or more",
                step.name
            )
        })
    });
    of_step.collect()
}
