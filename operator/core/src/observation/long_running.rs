//! What Deployments, StatefulSets and DaemonSets say of their pods.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{Container, Pod, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use mlpipeline_crds::{Digest, Revision};

use super::metadata::fingerprint_of;
use super::pods;
use crate::children::{CONTAINER, PROBE_PORT_NAME};
use crate::labels::{annotation, label};
use crate::observed::{ObservedLongRunning, ProbePort};
use crate::template_version::TemplateVersion;

/// Counts of pods, as every kind of workload gives them.
struct Counts {
    observed_generation: Option<i64>,
    /// Pods wanted.
    desired: i32,
    /// Pods there are.
    total: i32,
    /// Pods of the newest template.
    updated: i32,
    /// Pods that are ready.
    ready: i32,
}

/// Reads a Deployment, with the pods of the whole pipeline.
pub(super) fn deployment(found: &Deployment, all_pods: &[Arc<Pod>]) -> ObservedLongRunning {
    let template = found.spec.as_ref().map(|spec| &spec.template);
    let read = deployment_alone(found, template);
    if is_seen(found.status.as_ref().and_then(|status| status.observed_generation), &found.metadata) {
        return read;
    }
    // The controller's counts are of the spec before. What changed since may be no more than the number of pods, so the pods
    // themselves are asked what they are of.
    ObservedLongRunning { settled_ready: read.settled_ready.min(ready_pods_of(template, all_pods)), ..read }
}

/// How many ready pods have the labels of a template, the key among them.
fn ready_pods_of(template: Option<&PodTemplateSpec>, all_pods: &[Arc<Pod>]) -> i32 {
    let Some(labels) = template.and_then(|template| template.metadata.as_ref()?.labels.as_ref()) else {
        return 0;
    };
    let is_of_template = |pod: &&Arc<Pod>| {
        let own = pod.metadata.labels.as_ref();
        labels.iter().all(|(name, value)| own.and_then(|own| own.get(name)) == Some(value))
    };
    let ready = all_pods.iter().filter(is_of_template).filter(|pod| pods::is_ready(pod));
    i32::try_from(ready.count()).unwrap_or(i32::MAX)
}

fn deployment_alone(found: &Deployment, template: Option<&PodTemplateSpec>) -> ObservedLongRunning {
    let status = found.status.clone().unwrap_or_default();
    let counts = Counts {
        observed_generation: status.observed_generation,
        desired: found.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1),
        total: status.replicas.unwrap_or_default(),
        updated: status.updated_replicas.unwrap_or_default(),
        ready: status.ready_replicas.unwrap_or_default(),
    };
    observed(&found.metadata, template, &counts)
}

pub(super) fn stateful_set(found: &StatefulSet) -> ObservedLongRunning {
    let status = found.status.clone().unwrap_or_default();
    // Once a roll-out is over, the controller names one revision twice and may count no updated pods, only current ones. Of a set that
    // adopted pods it names one twice from the beginning, and counts those that are of it.
    let is_rolled_out =
        status.current_revision.is_some() && status.current_revision == status.update_revision;
    let counts = Counts {
        observed_generation: status.observed_generation,
        desired: found.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1),
        total: status.replicas,
        updated: status
            .updated_replicas
            .max(status.current_replicas.filter(|_| is_rolled_out))
            .unwrap_or_default(),
        ready: status.ready_replicas.unwrap_or_default(),
    };
    observed(&found.metadata, found.spec.as_ref().map(|spec| &spec.template), &counts)
}

pub(super) fn daemon_set(found: &DaemonSet) -> ObservedLongRunning {
    let status = found.status.clone().unwrap_or_default();
    let counts = Counts {
        observed_generation: status.observed_generation,
        desired: status.desired_number_scheduled,
        total: status.current_number_scheduled,
        updated: status.updated_number_scheduled.unwrap_or_default(),
        ready: status.number_ready,
    };
    observed(&found.metadata, found.spec.as_ref().map(|spec| &spec.template), &counts)
}

fn observed(
    metadata: &ObjectMeta,
    template: Option<&PodTemplateSpec>,
    counts: &Counts,
) -> ObservedLongRunning {
    let pods = template.and_then(|template| template.metadata.as_ref());
    let key = pods.and_then(|pods| pods.labels.as_ref()?.get(label::REVISION));
    let model = pods.and_then(|pods| pods.annotations.as_ref()?.get(annotation::MODEL));
    let annotations = metadata.annotations.as_ref();
    let model_digest = pods.and_then(|pods| pods.annotations.as_ref()?.get(annotation::MODEL_DIGEST));
    let recorded = annotations.and_then(|all| all.get(annotation::WORKER_IMAGE));
    let old = counts.total.saturating_sub(counts.updated).max(0);
    let updated_ready = counts.ready.saturating_sub(old).max(0);
    ObservedLongRunning {
        key: key.and_then(|text| Revision::parse(text).ok()),
        fingerprint: annotations.and_then(fingerprint_of),
        model: model.and_then(|text| Revision::parse(text).ok()),
        // Where the two differ, somebody has changed one of them. Version 0.1.0 recorded none.
        image: template
            .and_then(|template| container(template)?.image.as_ref())
            .filter(|image| recorded.is_none_or(|recorded| recorded == *image))
            .cloned(),
        template: TemplateVersion::parse(
            annotations.and_then(|all| all.get(annotation::TEMPLATE)).map(String::as_str),
        ),
        model_digest: model_digest.and_then(|text| Digest::parse(text)),
        probe_port: template.and_then(container).map(probe_port).unwrap_or_default(),
        desired: counts.desired,
        updated_ready,
        ready: counts.ready,
        settled_ready: if old == 0 { updated_ready } else { 0 },
        settled: is_seen(counts.observed_generation, metadata)
            && old == 0
            && counts.updated >= counts.desired,
    }
}

/// The step's own container.
fn container(template: &PodTemplateSpec) -> Option<&Container> {
    template.spec.as_ref()?.containers.iter().find(|container| container.name == CONTAINER)
}

/// Where it answers probes. One sign of a port of their own is enough: whoever edits one of them gets it repaired.
fn probe_port(container: &Container) -> ProbePort {
    let is_named = |name: &str| name == PROBE_PORT_NAME;
    let listed = container.ports.iter().flatten().any(|port| port.name.as_deref().is_some_and(is_named));
    let probes = [&container.readiness_probe, &container.liveness_probe, &container.startup_probe];
    let asked = probes.into_iter().flatten().filter_map(|probe| probe.http_get.as_ref());
    let asked = asked.into_iter().any(|get| matches!(&get.port, IntOrString::String(name) if is_named(name)));
    if listed || asked { ProbePort::Own } else { ProbePort::Shared }
}

/// Whether the controller has seen the newest spec.
fn is_seen(observed_generation: Option<i64>, metadata: &ObjectMeta) -> bool {
    observed_generation >= metadata.generation
}
