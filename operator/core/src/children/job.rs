//! One run to completion.

use k8s_openapi::api::batch::v1::{
    Job, JobSpec, PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement,
    PodFailurePolicyOnPodConditionsPattern, PodFailurePolicyRule,
};
use mlpipeline_crds::{ExitCode, RestartPolicy};

use super::container::CONTAINER;
use super::pod::{Template, template};
use super::{BuildSettings, metadata};
use crate::names;
use crate::observed::ProbePort;
use crate::pipeline::{ValidStep, ValidatedPipeline};
use crate::plan::{Retries, RunWork, Task};
use crate::pod_labels::step_labels;
use crate::template_version::TemplateVersion;

/// The completion mode of a Job whose pods have a number each.
pub(crate) const INDEXED: &str = "Indexed";

/// The Job of a run, named by what it does.
pub(super) fn job(
    pipeline: &ValidatedPipeline,
    step: &ValidStep,
    run: &RunWork,
    settings: &BuildSettings,
) -> Job {
    let name = names::job(&pipeline.name, &step.name, run.piece, &run.key, run.attempt);
    let mut metadata = metadata::of_step(pipeline, step, name);
    metadata.labels.get_or_insert_default().extend(metadata::run_labels(run, false));
    let mut annotations = metadata::fingerprint(&run.fingerprint);
    annotations.extend(metadata::settings(pipeline, step, run, &settings.worker_image));
    metadata.annotations = Some(annotations);
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
    let shape = &run.shape;
    let never = shape.restart_policy == RestartPolicy::Never;
    let template = template(Template {
        pipeline,
        step,
        task: &run.task,
        settings,
        labels: step_labels(step).into_iter().chain(metadata::run_labels(run, scheduled)).collect(),
        annotations: std::collections::BTreeMap::new(),
        probe_port: ProbePort::Shared,
        restart_policy: Some(if never { "Never" } else { "OnFailure" }),
        version: TemplateVersion::NEWEST,
        spread: Vec::new(),
    });
    let (in_all, per_index) = match shape.retries {
        Retries::Total(retries) => (Some(retries), None),
        Retries::PerIndex(retries) => (None, Some(retries)),
    };
    let limit = |retries: Option<u32>| retries.map(|retries| i32::try_from(retries).unwrap_or(i32::MAX));
    JobSpec {
        template,
        completions: shape.completions,
        completion_mode: shape.is_indexed.then(|| INDEXED.to_owned()),
        parallelism: shape.parallelism,
        backoff_limit: limit(in_all),
        backoff_limit_per_index: limit(per_index),
        active_deadline_seconds: shape.timeout.and_then(|timeout| i64::try_from(timeout.as_secs()).ok()),
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
            // Of the step alone: a container that something else adds to the pod has exit codes of its own.
            container_name: Some(CONTAINER.to_owned()),
            operator: "In".to_owned(),
            values: ExitCode::FINAL_FAILURES.iter().map(|code| code.code()).collect(),
        }),
        ..PodFailurePolicyRule::default()
    };
    let rules = std::iter::once(disruption).chain(is_worker.then_some(final_failure));
    PodFailurePolicy { rules: rules.collect() }
}
