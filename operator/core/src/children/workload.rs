//! Long-running workloads: Deployments, StatefulSets and DaemonSets.

use k8s_openapi::api::apps::v1::{
    DaemonSet, DaemonSetSpec, Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment,
    StatefulSet, StatefulSetSpec,
};
use k8s_openapi::api::core::v1::{
    PersistentVolumeClaim, PodTemplateSpec, TopologySpreadConstraint, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use mlpipeline_crds::{ReplicaVolume, Workload};

use super::persistent_volume_claim::{REPLICA_VOLUME, replica_spec};
use super::pod::{Template, template};
use super::{BuildSettings, Child, metadata};
use crate::labels::{annotation, label};
use crate::names;
use crate::pipeline::{ValidStep, ValidatedPipeline};
use crate::plan::LongRunningWork;
use crate::pod_labels::{selector_labels, track_labels};
use crate::shared_node::is_replaced_beside;
use crate::step_kind::Replicas;
use crate::step_node::bond;
use crate::template_version::TemplateVersion;
use crate::tracks::Track;

/// The object that keeps a step's pods running.
pub(super) fn workload(
    pipeline: &ValidatedPipeline,
    step: &ValidStep,
    track: Track,
    work: &LongRunningWork,
    settings: &BuildSettings,
) -> Child {
    let worker_image = work.image.as_ref().unwrap_or(&settings.worker_image);
    let settings = &BuildSettings { worker_image: worker_image.clone(), ..settings.clone() };
    let pods = template(Template {
        pipeline,
        step,
        task: &work.task,
        settings,
        labels: track_labels(step, track)
            .into_iter()
            .chain([(label::REVISION.to_owned(), work.key.to_string())])
            .collect(),
        annotations: metadata::pod_annotations(work.model.as_ref(), work.model_digest.as_ref()),
        probe_port: work.probe_port,
        restart_policy: None,
        version: work.template,
        spread: spread(pipeline, step, track, work.template),
    });
    let mut metadata = metadata_of(pipeline, step, track, work);
    if step.is_worker() && pipeline.image.is_none() {
        let annotations = metadata.annotations.get_or_insert_default();
        annotations.insert(annotation::WORKER_IMAGE.to_owned(), settings.worker_image.clone());
    }
    if let Some(version) = work.template.recorded() {
        let annotations = metadata.annotations.get_or_insert_default();
        annotations.insert(annotation::TEMPLATE.to_owned(), version.to_owned());
    }
    let selector = metadata::selector(pipeline, step, track);
    match step.workload() {
        Workload::StatefulSet => Child::StatefulSet(stateful_set(metadata, selector, pipeline, step, pods)),
        Workload::DaemonSet => Child::DaemonSet(daemon_set(metadata, selector, pods)),
        Workload::Job | Workload::Deployment => {
            let strategy = strategy(is_replaced_beside(pipeline, step));
            Child::Deployment(deployment(metadata, selector, replicas(step, work), strategy, pods))
        }
    }
}

/// The wish of several replicas to be on different nodes and in different zones, where nothing binds them to one and the spec does not say
/// otherwise: then a node that is lost or drained takes one of them. It is a wish, so that a small cluster runs them all the same.
fn spread(
    pipeline: &ValidatedPipeline,
    step: &ValidStep,
    track: Track,
    version: TemplateVersion,
) -> Vec<TopologySpreadConstraint> {
    let is_several =
        step.action.descriptor().replicas().fewest() > 1 && step.workload() != Workload::DaemonSet;
    let is_asked_for = step.pod.topology_spread_constraints.is_empty() && version >= TemplateVersion::Placed;
    let is_bound = match version {
        TemplateVersion::First | TemplateVersion::Placed => pipeline.keeps_pods_together(),
        TemplateVersion::Bound | TemplateVersion::Limited => bond(pipeline, step).is_some(),
    };
    if !is_several || !is_asked_for || is_bound {
        return Vec::new();
    }
    let constraint = |topology_key: &str| TopologySpreadConstraint {
        max_skew: 1,
        topology_key: topology_key.to_owned(),
        when_unsatisfiable: "ScheduleAnyway".to_owned(),
        label_selector: Some(metadata::selector(pipeline, step, track)),
        ..TopologySpreadConstraint::default()
    };
    ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map(constraint).to_vec()
}

/// How many pods there are. An autoscaler sets the number, except the first: a Deployment that names none gets one pod, and at zero the
/// autoscaler does nothing. The number is applied until the Deployment has it; leaving it out later is no change to apply.
fn replicas(step: &ValidStep, work: &LongRunningWork) -> Option<i32> {
    match step.action.descriptor().replicas() {
        Replicas::Autoscaled { .. } => work.first_replicas,
        replicas @ (Replicas::Fixed(_) | Replicas::OneAtATime) => Some(replicas.fewest()),
    }
}

fn metadata_of(
    pipeline: &ValidatedPipeline,
    step: &ValidStep,
    track: Track,
    work: &LongRunningWork,
) -> ObjectMeta {
    let name = names::track_object(&pipeline.name, &step.name, track);
    let mut metadata = metadata::of_step(pipeline, step, name);
    match track {
        Track::Stable => {}
        Track::Candidate | Track::Shadow => {
            let labels = metadata.labels.get_or_insert_default();
            labels.insert(label::TRACK.to_owned(), track.name().to_owned());
        }
    }
    metadata.annotations = Some(metadata::fingerprint(&work.fingerprint));
    metadata
}

fn deployment(
    metadata: ObjectMeta,
    selector: LabelSelector,
    replicas: Option<i32>,
    strategy: DeploymentStrategy,
    template: PodTemplateSpec,
) -> Deployment {
    Deployment {
        metadata,
        spec: Some(DeploymentSpec {
            replicas,
            selector,
            strategy: Some(strategy),
            template,
            ..DeploymentSpec::default()
        }),
        status: None,
    }
}

/// No pod goes before another is ready in its place; where that cannot be, or must not as of a continuous step, the old one goes first.
fn strategy(is_replaced_beside: bool) -> DeploymentStrategy {
    if !is_replaced_beside {
        return DeploymentStrategy { type_: Some("Recreate".to_owned()), rolling_update: None };
    }
    DeploymentStrategy {
        type_: Some("RollingUpdate".to_owned()),
        rolling_update: Some(RollingUpdateDeployment {
            max_surge: Some(IntOrString::Int(1)),
            max_unavailable: Some(IntOrString::Int(0)),
        }),
    }
}

fn daemon_set(metadata: ObjectMeta, selector: LabelSelector, template: PodTemplateSpec) -> DaemonSet {
    DaemonSet {
        metadata,
        spec: Some(DaemonSetSpec { selector, template, ..DaemonSetSpec::default() }),
        status: None,
    }
}

fn stateful_set(
    metadata: ObjectMeta,
    selector: LabelSelector,
    pipeline: &ValidatedPipeline,
    step: &ValidStep,
    mut template: PodTemplateSpec,
) -> StatefulSet {
    let volume = step.action.descriptor().replica_volume();
    let claims = volume.map(|volume| vec![replica_claim(pipeline, step, volume)]);
    if let (Some(volume), Some(spec)) = (volume, template.spec.as_mut()) {
        for container in &mut spec.containers {
            container.volume_mounts.get_or_insert_default().push(VolumeMount {
                name: REPLICA_VOLUME.to_owned(),
                mount_path: volume.mount_path.clone(),
                ..VolumeMount::default()
            });
        }
    }
    StatefulSet {
        metadata,
        spec: Some(StatefulSetSpec {
            replicas: Some(step.action.descriptor().replicas().fewest()),
            selector,
            service_name: Some(names::step_object(&pipeline.name, &step.name)),
            template,
            volume_claim_templates: claims,
            ..StatefulSetSpec::default()
        }),
        status: None,
    }
}

/// The template of a replica's claim. The claims themselves are children too, so this is only how the StatefulSet finds them; it can
/// never be changed, so nothing is in it that may change.
fn replica_claim(
    pipeline: &ValidatedPipeline,
    step: &ValidStep,
    volume: &ReplicaVolume,
) -> PersistentVolumeClaim {
    PersistentVolumeClaim {
        metadata: ObjectMeta {
            name: Some(REPLICA_VOLUME.to_owned()),
            labels: Some(selector_labels(pipeline, step, Track::Stable)),
            ..ObjectMeta::default()
        },
        spec: Some(replica_spec(volume)),
        status: None,
    }
}
