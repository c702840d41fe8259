//! One run to completion.

use k8s_openapi::api::batch::v1::{
    Job, JobSpec, PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement,
    PodFailurePolicyOnPodConditionsPattern, PodFailurePolicyRule,
};
use mlpipeline_crds::{CompletionMode, ExitCode, RestartPolicy};

use super::pod::{Template, template};
use super::{BuildSettings, metadata};
use crate::names;
use crate::pipeline::{ValidAction, ValidStep, ValidatedPipeline};
use crate::plan::{RunWork, Task};

/// The Job of a run, named by what it does.
pub(super) fn job(
    pipeline: &ValidatedPipeline,
    step: &ValidStep,
    run: &RunWork,
    settings: &BuildSettings,
) -> Job {
    let name = names::job(&pipeline.name, &step.name, &run.key, run.attempt);
    let mut metadata = metadata::of_step(pipeline, step, name);
    metadata.labels.get_or_insert_default().extend(metadata::run_labels(run, false));
    metadata.annotations = Some(metadata::fingerprint(&run.fingerprint));
    Job { metadata, spec: Some(spec(pipeline, step, run, false, settings)), status: None }
}

/// What a Job does; for a Job of its own, or inside a CronJob.
pub(super) fn spec(
    pipeline: &ValidatedPipeline,
    step: &ValidStep,
    run: &RunWork,
    scheduled: bool,
    settings: &BuildSettings,
) -> JobSpec {
    let (completions, mode, restart_policy) = match &step.action {
        ValidAction::Run(run) => {
            (run.completions, run.completion_mode.unwrap_or_default(), run.restart_policy.unwrap_or_default())
        }
        _ => (None, CompletionMode::NonIndexed, RestartPolicy::Never),
    };
    let never = restart_policy == RestartPolicy::Never;
    let template = template(Template {
        pipeline,
        step,
        task: &run.task,
        settings,
        labels: metadata::run_labels(run, scheduled),
        annotations: std::collections::BTreeMap::new(),
        restart_policy: Some(if never { "Never" } else { "OnFailure" }),
    });
    JobSpec {
        template,
        completions,
        completion_mode: (mode == CompletionMode::Indexed).then(|| "Indexed".to_owned()),
        parallelism: step.parallelism,
        backoff_limit: Some(i32::try_from(step.retries).unwrap_or(i32::MAX)),
        active_deadline_seconds: step.timeout.and_then(|timeout| i64::try_from(timeout.as_secs()).ok()),
        // The API server takes a failure policy only where failed pods are not restarted in place.
        pod_failure_policy: never.then(|| failure_policy(matches!(run.task, Task::Worker(_)))),
        ..JobSpec::default()
    }
}

/// Wrong spec and wrong data fail at once; a pod that the cluster took away does not count as an attempt.
fn failure_policy(is_worker: bool) -> PodFailurePolicy {
    let disruption = PodFailurePolicyRule {
        action: "Ignore".to_owned(),
        on_pod_conditions: Some(vec![PodFailurePolicyOnPodConditionsPattern {
            type_: "DisruptionTarget".to_owned(),
            status: Some("True".to_owned()),
        }]),
        ..PodFailurePolicyRule::default()
    };
    let final_failure = PodFailurePolicyRule {
        action: "FailJob".to_owned(),
        on_exit_codes: Some(PodFailurePolicyOnExitCodesRequirement {
            container_name: None,
            operator: "In".to_owned(),
            values: ExitCode::FINAL_FAILURES.iter().map(|code| code.code()).collect(),
        }),
        ..PodFailurePolicyRule::default()
    };
    let rules = std::iter::once(disruption).chain(is_worker.then_some(final_failure));
    PodFailurePolicy { rules: rules.collect() }
}
