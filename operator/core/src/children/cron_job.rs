//! Runs by schedule.

use k8s_openapi::api::batch::v1::{CronJob, CronJobSpec, JobTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use mlpipeline_crds::ConcurrencyPolicy;

use super::{BuildSettings, job, metadata};
use crate::names;
use crate::pipeline::{ValidStep, ValidatedPipeline};
use crate::plan::RunWork;
use crate::pod_labels;

/// The CronJob of a scheduled step; `None` for a step without schedule.
pub(super) fn cron_job(
    pipeline: &ValidatedPipeline,
    step: &ValidStep,
    run: &RunWork,
    suspend: bool,
    settings: &BuildSettings,
) -> Option<CronJob> {
    let schedule = &step.schedule.as_ref()?.spec;
    let mut annotations = metadata::fingerprint(&run.fingerprint);
    annotations.extend(metadata::settings(pipeline, step, run, &settings.worker_image));
    let labels = pod_labels::common_labels(pipeline)
        .into_iter()
        .chain(pod_labels::step_labels(step))
        .chain(metadata::run_labels(run, true))
        .collect();
    let policy = match schedule.concurrency_policy.unwrap_or_default() {
        ConcurrencyPolicy::Allow => "Allow",
        ConcurrencyPolicy::Forbid => "Forbid",
        ConcurrencyPolicy::Replace => "Replace",
    };
    let history = i32::try_from(pipeline.history).unwrap_or(i32::MAX);
    Some(CronJob {
        metadata: metadata::of_step(
            pipeline,
            step,
            names::cron_job(&pipeline.name, &step.name, step.is_indexed()),
        ),
        spec: Some(CronJobSpec {
            schedule: schedule.cron.clone(),
            time_zone: schedule.time_zone.clone(),
            concurrency_policy: Some(policy.to_owned()),
            starting_deadline_seconds: schedule.starting_deadline_seconds,
            suspend: Some(suspend),
            successful_jobs_history_limit: Some(history),
            failed_jobs_history_limit: Some(history),
            job_template: JobTemplateSpec {
                metadata: Some(ObjectMeta {
                    labels: Some(labels),
                    annotations: Some(annotations),
                    ..ObjectMeta::default()
                }),
                spec: Some(job::spec(pipeline, step, run, true, settings)),
            },
        }),
        status: None,
    })
}
