//! What Deployments, StatefulSets and DaemonSets say of their pods.

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use mlpipeline_crds::Revision;

use super::metadata::fingerprint_of;
use crate::labels::{annotation, label};
use crate::observed::ObservedLongRunning;

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

pub(super) fn deployment(found: &Deployment) -> ObservedLongRunning {
    let status = found.status.clone().unwrap_or_default();
    let counts = Counts {
        observed_generation: status.observed_generation,
        desired: found.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1),
        total: status.replicas.unwrap_or_default(),
        updated: status.updated_replicas.unwrap_or_default(),
        ready: status.ready_replicas.unwrap_or_default(),
    };
    observed(&found.metadata, found.spec.as_ref().map(|spec| &spec.template), &counts)
}

pub(super) fn stateful_set(found: &StatefulSet) -> ObservedLongRunning {
    let status = found.status.clone().unwrap_or_default();
    // Once a roll-out is over, the controller names one revision twice and may count no updated pods.
    let is_rolled_out =
        status.current_revision.is_some() && status.current_revision == status.update_revision;
    let counts = Counts {
        observed_generation: status.observed_generation,
        desired: found.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1),
        total: status.replicas,
        updated: if is_rolled_out { status.replicas } else { status.updated_replicas.unwrap_or_default() },
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
    let seen = counts.observed_generation >= metadata.generation;
    let old = counts.total.saturating_sub(counts.updated).max(0);
    ObservedLongRunning {
        key: key.and_then(|text| Revision::parse(text).ok()),
        fingerprint: metadata.annotations.as_ref().and_then(fingerprint_of),
        model: model.and_then(|text| Revision::parse(text).ok()),
        desired: counts.desired,
        updated_ready: counts.ready.saturating_sub(old).max(0),
        ready: counts.ready,
        settled: seen && old == 0 && counts.updated >= counts.desired,
    }
}
