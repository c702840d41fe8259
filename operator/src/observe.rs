//! One pipeline's own objects from the cache: those that it controls, and none that only carry its label.

use std::sync::Arc;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Resource;

use super::cache::index::{Index, PipelineKey};
use super::cache::{Cache, Found};
use mlpipeline_core::child_kind::ChildKind;
use mlpipeline_core::labels::{MANAGER, label, label_of};
use mlpipeline_core::names;
use mlpipeline_core::observation::{self, Snapshot};
use mlpipeline_core::observed::Observed;
use mlpipeline_core::pipeline::ValidatedPipeline;

/// What exists of a pipeline.
pub struct View {
    /// As plain data, for the core.
    pub observed: Observed,
    /// Jobs that the pipeline itself owns, in contrast to those of its CronJobs.
    pub jobs: Vec<Arc<Job>>,
    /// Jobs that the pipeline or its CronJobs own.
    pub runs: Vec<Arc<Job>>,
    /// Every object of an applied kind under the pipeline's label, foreign objects included.
    pub applied: Vec<Found>,
}

/// Observes one pipeline.
#[must_use]
pub fn observe(cache: &Cache, pipeline: &ValidatedPipeline) -> View {
    let uid = pipeline.uid.as_str();
    let key = PipelineKey { namespace: pipeline.namespace.clone(), label: names::label(&pipeline.name) };
    let cron_jobs = owned(&cache.cron_jobs, &key, uid);
    let all_jobs = cache.jobs.of(&key);
    let own_jobs: Vec<Arc<Job>> =
        all_jobs.iter().filter(|job| is_controlled_by(&job.metadata, uid)).cloned().collect();
    let jobs: Vec<Arc<Job>> = all_jobs
        .into_iter()
        .filter(|job| {
            is_controlled_by(&job.metadata, uid)
                || cron_jobs.iter().any(|cron| is_controlled_by(&job.metadata, uid_of(&cron.metadata)))
        })
        .collect();
    let deployments = owned(&cache.deployments, &key, uid);
    let stateful_sets = owned(&cache.stateful_sets, &key, uid);
    let daemon_sets = owned(&cache.daemon_sets, &key, uid);
    let owners: Vec<&ObjectMeta> = jobs
        .iter()
        .map(|job| &job.metadata)
        .chain(stateful_sets.iter().map(|set| &set.metadata))
        .chain(daemon_sets.iter().map(|set| &set.metadata))
        .collect();
    let deployment_names: Vec<&str> =
        deployments.iter().filter_map(|deployment| deployment.metadata.name.as_deref()).collect();
    let pods: Vec<Arc<Pod>> =
        cache.pods.of(&key).into_iter().filter(|pod| is_ours(pod, &owners, &deployment_names)).collect();
    let claims: Vec<_> = cache
        .persistent_volume_claims
        .of(&key)
        .into_iter()
        .filter(|claim| owns_claim(pipeline, &claim.metadata))
        .collect();
    let services = owned(&cache.services, &key, uid);
    let warned_of = claims
        .iter()
        .map(|claim| &claim.metadata)
        .chain(services.iter().map(|service| &service.metadata))
        .chain(pods.iter().map(|pod| &pod.metadata))
        .chain(jobs.iter().map(|job| &job.metadata))
        .chain(cron_jobs.iter().map(|cron_job| &cron_job.metadata))
        .chain(stateful_sets.iter().map(|set| &set.metadata))
        .chain(daemon_sets.iter().map(|set| &set.metadata));
    let warning_events = warned_of
        .filter_map(|metadata| {
            Some((metadata.uid.clone()?, cache.warning_events.of(metadata.uid.as_deref())?))
        })
        .collect();
    let snapshot = Snapshot {
        warning_events,
        pods,
        jobs,
        deployments,
        stateful_sets,
        daemon_sets,
        services,
        claims,
        cron_jobs,
        horizontal_pod_autoscalers: owned(&cache.horizontal_pod_autoscalers, &key, uid),
    };
    let observed = observation::read(&snapshot);
    View { observed, jobs: own_jobs, runs: snapshot.jobs, applied: cache.applied(&key) }
}

/// Whether an object is this pipeline's: controlled by it, or by nothing and with its labels. Such is a claim that is retained, a child
/// that was restored from a backup without its owner, and one that lost it.
#[must_use]
pub fn is_own(pipeline: &ValidatedPipeline, metadata: &ObjectMeta) -> bool {
    let is_free = controller(metadata).is_none() && !is_leftover(pipeline, metadata);
    let is_of_pipeline = label_of(metadata, label::PIPELINE) == Some(names::label(&pipeline.name).as_str());
    is_controlled_by(metadata, &pipeline.uid)
        || (is_free && is_of_pipeline && label_of(metadata, label::MANAGED_BY) == Some(MANAGER))
}

/// Whether a claim is this pipeline's: any other child of its is, or a StatefulSet of its created it.
#[must_use]
pub fn owns_claim(pipeline: &ValidatedPipeline, claim: &ObjectMeta) -> bool {
    let is_of_pipeline = label_of(claim, label::PIPELINE) == Some(names::label(&pipeline.name).as_str());
    let is_replicas = controller(claim).is_none() && !is_leftover(pipeline, claim) && is_of_pipeline;
    is_own(pipeline, claim) || (is_replicas && label_of(claim, label::STEP).is_some())
}

/// The reference to an object's controller.
#[must_use]
pub fn controller(metadata: &ObjectMeta) -> Option<&OwnerReference> {
    metadata.owner_references.iter().flatten().find(|owner| owner.controller == Some(true))
}

/// Whether an object's controller has this uid.
#[must_use]
pub fn is_controlled_by(metadata: &ObjectMeta, uid: &str) -> bool {
    !uid.is_empty() && controller(metadata).is_some_and(|owner| owner.uid == uid)
}

/// Whether an object is the child of an earlier pipeline of the same name, and goes with it.
#[must_use]
pub fn is_leftover(pipeline: &ValidatedPipeline, metadata: &ObjectMeta) -> bool {
    metadata
        .owner_references
        .iter()
        .flatten()
        .any(|owner| owner.kind == "MLPipeline" && owner.name == pipeline.name && owner.uid != pipeline.uid)
}

/// A child's name for people: "Deployment iris-api".
#[must_use]
pub fn object_name(kind: ChildKind, name: &str) -> String {
    format!("{} {name}", kind.kind())
}

fn owned<K: Resource<DynamicType = ()> + Clone + PartialEq>(
    index: &Index<K>,
    key: &PipelineKey,
    uid: &str,
) -> Vec<Arc<K>> {
    index.of(key).into_iter().filter(|object| is_controlled_by(object.meta(), uid)).collect()
}

/// Whether a pod was created for one of these owners, or for a ReplicaSet of one of these Deployments.
fn is_ours(pod: &Pod, owners: &[&ObjectMeta], deployments: &[&str]) -> bool {
    let Some(owner) = controller(&pod.metadata) else { return false };
    match owner.kind.as_str() {
        "ReplicaSet" => {
            owner.name.rsplit_once('-').is_some_and(|(deployment, _)| deployments.contains(&deployment))
        }
        _ => owners.iter().any(|metadata| uid_of(metadata) == owner.uid),
    }
}

fn uid_of(metadata: &ObjectMeta) -> &str {
    metadata.uid.as_deref().unwrap_or_default()
}
