//! From a plan to the objects that should exist. Pure, and cannot fail: everything that could be wrong was rejected before.
//!
//! Each child is made by one function that takes what it needs as values. The pods are restricted by construction: there is no
//! way to ask for a privileged one.

mod container;
mod cron_job;
mod horizontal_pod_autoscaler;
mod ingress;
mod job;
mod metadata;
mod persistent_volume_claim;
mod pod;
mod pod_disruption_budget;
mod service;
mod workload;

use super::child_kind::{Child, ChildKind};
use super::pipeline::{ValidStep, ValidatedPipeline};
use super::plan::{Plan, Work};

pub(crate) use container::STARTUP_SECONDS;
pub use container::{CONTAINER, PROBE_PORT_NAME};
pub(crate) use job::INDEXED;
pub(crate) use persistent_volume_claim::REPLICA_VOLUME;

/// What the operator adds from its own configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildSettings {
    /// The worker image of pipelines that name none.
    pub worker_image: String,
    /// Whether the cluster gives pods their user and group, rather than the pod template.
    pub cluster_user_ids: bool,
}

/// The objects that a plan asks for, each after those that it needs. Finished Jobs are not among them: they are left alone.
#[must_use]
pub fn build(pipeline: &ValidatedPipeline, plan: &Plan, settings: &BuildSettings) -> Vec<Child> {
    let mut children: Vec<Child> = persistent_volume_claim::persistent_volume_claim(pipeline)
        .map(Child::PersistentVolumeClaim)
        .into_iter()
        .collect();
    for planned in &plan.steps {
        let (Some(step), Some(work)) = (pipeline.step(&planned.name), planned.work.as_ref()) else {
            continue;
        };
        match work {
            Work::Once(run) => children.push(Child::Job(job::job(pipeline, step, run, settings))),
            Work::Scheduled { run, suspend } => {
                children
                    .extend(cron_job::cron_job(pipeline, step, run, *suspend, settings).map(Child::CronJob));
            }
            Work::LongRunning(tracks) => {
                // The Service comes first, so that pods of a StatefulSet find their names, and then their volumes.
                children.extend(before_pods(pipeline, step));
                let claims = persistent_volume_claim::replica_claims(pipeline, step);
                children.extend(claims.into_iter().map(Child::PersistentVolumeClaim));
                children.extend(
                    tracks
                        .iter()
                        .map(|(track, work)| workload::workload(pipeline, step, track, work, settings)),
                );
                children.extend(after_pods(pipeline, step));
            }
        }
    }
    children
}

/// What a long-running step has before its pods.
fn before_pods(pipeline: &ValidatedPipeline, step: &ValidStep) -> Option<Child> {
    service::service(pipeline, step).map(Child::Service)
}

/// What a long-running step has once its pods are there.
fn after_pods(pipeline: &ValidatedPipeline, step: &ValidStep) -> Vec<Child> {
    let Some(serve) = step.action.descriptor().serving() else { return Vec::new() };
    [
        horizontal_pod_autoscaler::horizontal_pod_autoscaler(pipeline, step, serve)
            .map(Child::HorizontalPodAutoscaler),
        pod_disruption_budget::pod_disruption_budget(pipeline, step).map(Child::PodDisruptionBudget),
        ingress::ingress(pipeline, step, serve).map(Child::Ingress),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The kinds of applied children that a step's spec asks for, whatever its work is. Runs are created, and claims are never deleted: neither
/// is among them.
#[must_use]
pub fn applied_kinds(pipeline: &ValidatedPipeline, step: &ValidStep) -> Vec<ChildKind> {
    let Some(pods) = ChildKind::of_workload(step.workload()) else {
        return step.schedule.iter().map(|_| ChildKind::CronJob).collect();
    };
    let beside = before_pods(pipeline, step).into_iter().chain(after_pods(pipeline, step));
    std::iter::once(pods).chain(beside.map(|child| child.kind())).collect()
}
