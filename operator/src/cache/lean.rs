//! Pods and Jobs off the wire: of what nobody here reads, most is passed over in the text and never built.
//!
//! They come several times for each run, and are mostly what to run and who set which field. `prune` says what is kept; this only
//! spares building the bulk of the rest.

use std::collections::BTreeMap;

use k8s_openapi::api::batch::v1::{Job, JobSpec, JobStatus};
use k8s_openapi::api::core::v1::{ContainerStatus, Pod, PodCondition, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference, Time};
use kube::Resource;
use serde::{Deserialize, Deserializer};

/// An object that was read without its bulk.
#[derive(Clone, Debug)]
pub struct Lean<K>(pub K);

impl<K: Resource> Resource for Lean<K> {
    type DynamicType = K::DynamicType;
    type Scope = K::Scope;

    fn kind(dynamic: &Self::DynamicType) -> std::borrow::Cow<'_, str> {
        K::kind(dynamic)
    }

    fn group(dynamic: &Self::DynamicType) -> std::borrow::Cow<'_, str> {
        K::group(dynamic)
    }

    fn version(dynamic: &Self::DynamicType) -> std::borrow::Cow<'_, str> {
        K::version(dynamic)
    }

    fn plural(dynamic: &Self::DynamicType) -> std::borrow::Cow<'_, str> {
        K::plural(dynamic)
    }

    fn meta(&self) -> &ObjectMeta {
        self.0.meta()
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        self.0.meta_mut()
    }
}

impl From<Lean<Pod>> for Pod {
    fn from(lean: Lean<Pod>) -> Self {
        lean.0
    }
}

impl From<Lean<Job>> for Job {
    fn from(lean: Lean<Job>) -> Self {
        lean.0
    }
}

impl<'de> Deserialize<'de> for Lean<Pod> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = PodText::deserialize(deserializer)?;
        let status = text.status.map(|status| PodStatus {
            phase: status.phase,
            reason: status.reason,
            message: status.message,
            conditions: status.conditions,
            container_statuses: status.container_statuses,
            ..PodStatus::default()
        });
        Ok(Self(Pod { metadata: text.metadata.into(), status, ..Pod::default() }))
    }
}

impl<'de> Deserialize<'de> for Lean<Job> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = JobText::deserialize(deserializer)?;
        let spec = text.spec.map(|spec| JobSpec {
            active_deadline_seconds: spec.active_deadline_seconds,
            backoff_limit: spec.backoff_limit,
            completion_mode: spec.completion_mode,
            completions: spec.completions,
            parallelism: spec.parallelism,
            suspend: spec.suspend,
            ..JobSpec::default()
        });
        Ok(Self(Job { metadata: text.metadata.into(), spec, status: text.status }))
    }
}

#[derive(Deserialize)]
struct PodText {
    metadata: MetadataText,
    status: Option<PodStatusText>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodStatusText {
    phase: Option<String>,
    reason: Option<String>,
    message: Option<String>,
    conditions: Option<Vec<PodCondition>>,
    container_statuses: Option<Vec<ContainerStatus>>,
}

#[derive(Deserialize)]
struct JobText {
    metadata: MetadataText,
    spec: Option<JobSpecText>,
    status: Option<JobStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JobSpecText {
    active_deadline_seconds: Option<i64>,
    backoff_limit: Option<i32>,
    completion_mode: Option<String>,
    completions: Option<i32>,
    parallelism: Option<i32>,
    suspend: Option<bool>,
}

/// All metadata but who set which field, and who must agree to a deletion.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MetadataText {
    name: Option<String>,
    generate_name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    generation: Option<i64>,
    creation_timestamp: Option<Time>,
    deletion_timestamp: Option<Time>,
    deletion_grace_period_seconds: Option<i64>,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
    owner_references: Option<Vec<OwnerReference>>,
}

impl From<MetadataText> for ObjectMeta {
    fn from(text: MetadataText) -> Self {
        Self {
            name: text.name,
            generate_name: text.generate_name,
            namespace: text.namespace,
            uid: text.uid,
            resource_version: text.resource_version,
            generation: text.generation,
            creation_timestamp: text.creation_timestamp,
            deletion_timestamp: text.deletion_timestamp,
            deletion_grace_period_seconds: text.deletion_grace_period_seconds,
            labels: text.labels,
            annotations: text.annotations,
            owner_references: text.owner_references,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;
    use crate::cache::prune::Prune;

    fn metadata() -> Value {
        json!({
            "name": "a-1", "generateName": "a-", "namespace": "ns", "uid": "u", "resourceVersion": "7", "generation": 2,
            "creationTimestamp": "2026-11-21T00:00:00Z", "deletionTimestamp": "2026-11-21T00:01:00Z",
            "deletionGracePeriodSeconds": 30, "labels": {"l": "1"}, "annotations": {"a": "1"},
            "ownerReferences": [{"apiVersion": "v1", "kind": "K", "name": "o", "uid": "o", "controller": true}],
            "finalizers": ["f"], "managedFields": [{"manager": "m", "fieldsV1": {"f:spec": {}}}],
        })
    }

    /// What is kept is the same, whichever way an object is read.
    #[track_caller]
    fn keeps_the_same<K: Prune + PartialEq + std::fmt::Debug + DeserializeOwned>(text: &Value)
    where
        Lean<K>: DeserializeOwned,
    {
        let mut whole: K = serde_json::from_value(text.clone()).expect("an object");
        let Lean(mut lean) = serde_json::from_value::<Lean<K>>(text.clone()).expect("an object");
        whole.prune();
        lean.prune();
        assert_eq!(lean, whole);
    }

    #[test]
    fn nothing_that_is_kept_of_pods_and_jobs_is_passed_over() {
        let state =
            json!({"terminated": {"exitCode": 1, "message": "m", "finishedAt": "2026-11-21T00:00:30Z"}});
        keeps_the_same::<Pod>(&json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": metadata(),
            "spec": {"containers": [{"name": "step", "image": "i"}], "nodeName": "n"},
            "status": {
                "phase": "Failed", "reason": "Evicted", "message": "low on memory", "podIP": "198.18.0.9", "qosClass": "Burstable",
                "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "none"}],
                "containerStatuses": [{
                    "name": "step", "image": "i", "imageID": "x", "ready": false, "restartCount": 2, "state": state, "lastState": state,
                }],
            },
        }));
        keeps_the_same::<Job>(&json!({
            "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata(),
            "spec": {
                "activeDeadlineSeconds": 60, "backoffLimit": 3, "completionMode": "Indexed", "completions": 6, "parallelism": 2,
                "suspend": true, "selector": {"matchLabels": {"l": "1"}},
                "podFailurePolicy": {"rules": []}, "podReplacementPolicy": "Failed", "ttlSecondsAfterFinished": 9, "manualSelector": false,
                "template": {"spec": {"containers": [{"name": "step", "image": "i"}]}},
            },
            "status": {
                "active": 1, "failed": 2, "ready": 1, "startTime": "2026-11-21T00:00:00Z",
                "conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "m"}],
            },
        }));
        for bare in [json!({"metadata": {}}), json!({"metadata": {"name": "a"}, "spec": {}, "status": {}})] {
            serde_json::from_value::<Lean<Pod>>(bare.clone()).expect("a pod");
            serde_json::from_value::<Lean<Job>>(bare).expect("a job");
        }
    }
}
