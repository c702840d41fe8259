//! Partial decode of pods and Jobs: the fields listed here are decoded and cached, and all others are skipped in the text.
//!
//! The API server sends pods and Jobs several times for each run, and most of each is its template and who owns which field.
//! Skipping it takes less than half the time of decoding it and dropping it afterwards (10,000 pods of 5 KiB and as many Jobs).

use std::borrow::Cow;
use std::collections::BTreeMap;

use k8s_openapi::api::batch::v1::{Job, JobCondition, JobSpec, JobStatus};
use k8s_openapi::api::core::v1::{ContainerStatus, Pod, PodCondition, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference, Time};
use kube::Resource;
use serde::{Deserialize, Deserializer};

use super::field_stripping::StripFields;

/// Lists the fields of `$whole` that are kept: `$kept` holds them alone.
macro_rules! keep {
    ($(#[$doc:meta])* $kept:ident of $whole:ident { $($field:ident: $type:ty,)+ }) => {
        $(#[$doc])*
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct $kept {
            $($field: Option<$type>,)+
        }

        impl From<$kept> for $whole {
            fn from(kept: $kept) -> Self {
                Self { $($field: kept.$field,)+ ..Self::default() }
            }
        }

        impl From<$whole> for $kept {
            fn from(whole: $whole) -> Self {
                Self { $($field: whole.$field,)+ }
            }
        }
    };
}

keep! {
    /// All metadata except who owns which field, and who must agree to a deletion.
    KeptMetadata of ObjectMeta {
        name: String,
        generate_name: String,
        namespace: String,
        uid: String,
        resource_version: String,
        generation: i64,
        creation_timestamp: Time,
        deletion_timestamp: Time,
        deletion_grace_period_seconds: i64,
        labels: BTreeMap<String, String>,
        annotations: BTreeMap<String, String>,
        owner_references: Vec<OwnerReference>,
    }
}

keep! {
    /// How many pods a Job runs, and for how long: the rest of it never changes.
    KeptJobSpec of JobSpec {
        active_deadline_seconds: i64,
        backoff_limit: i32,
        completion_mode: String,
        completions: i32,
        parallelism: i32,
        suspend: bool,
    }
}

keep! {
    /// How a Job stands, without its controller's own bookkeeping.
    KeptJobStatus of JobStatus {
        active: i32,
        succeeded: i32,
        failed: i32,
        completed_indexes: String,
        failed_indexes: String,
        start_time: Time,
        completion_time: Time,
        conditions: Vec<JobCondition>,
    }
}

keep! {
    KeptPodStatus of PodStatus {
        phase: String,
        reason: String,
        message: String,
        conditions: Vec<PodCondition>,
        container_statuses: Vec<ContainerStatus>,
    }
}

#[derive(Deserialize)]
struct KeptJob {
    metadata: KeptMetadata,
    spec: Option<KeptJobSpec>,
    status: Option<KeptJobStatus>,
}

impl From<KeptJob> for Job {
    fn from(kept: KeptJob) -> Self {
        Self {
            metadata: kept.metadata.into(),
            spec: kept.spec.map(Into::into),
            status: kept.status.map(Into::into),
        }
    }
}

impl From<Job> for KeptJob {
    fn from(job: Job) -> Self {
        Self {
            metadata: job.metadata.into(),
            spec: job.spec.map(Into::into),
            status: job.status.map(Into::into),
        }
    }
}

#[derive(Deserialize)]
struct KeptPod {
    metadata: KeptMetadata,
    status: Option<KeptPodStatus>,
}

impl From<KeptPod> for Pod {
    fn from(kept: KeptPod) -> Self {
        let metadata = ObjectMeta { annotations: None, ..kept.metadata.into() };
        let status = kept.status.map(|status| PodStatus::from(status.strip_lists()));
        Self { metadata, status, ..Self::default() }
    }
}

impl From<Pod> for KeptPod {
    fn from(pod: Pod) -> Self {
        Self { metadata: pod.metadata.into(), status: pod.status.map(Into::into) }
    }
}

impl KeptPodStatus {
    /// Keeps the two conditions that are read (no node was found; the cluster removes the pod) and the state of containers.
    fn strip_lists(mut self) -> Self {
        let mut conditions = self.conditions.unwrap_or_default();
        conditions.retain(|condition| {
            matches!(
                (condition.type_.as_str(), condition.status.as_str()),
                ("PodScheduled", "False") | ("DisruptionTarget", "True")
            )
        });
        self.conditions = (!conditions.is_empty()).then_some(conditions);
        self.container_statuses =
            self.container_statuses.map(|all| all.into_iter().map(strip_container_status).collect());
        self
    }
}

/// Keeps a container's image and its states.
fn strip_container_status(status: ContainerStatus) -> ContainerStatus {
    ContainerStatus {
        name: status.name,
        image: status.image,
        state: status.state,
        // How a container ended before matters only until it is ready again.
        last_state: status.last_state.filter(|_| !status.ready),
        ..ContainerStatus::default()
    }
}

/// An object of which only the listed fields are decoded.
#[derive(Clone, Debug)]
pub struct PartialDecode<K>(pub K);

impl<K: Resource> Resource for PartialDecode<K> {
    type DynamicType = K::DynamicType;
    type Scope = K::Scope;

    fn kind(dynamic: &Self::DynamicType) -> Cow<'_, str> {
        K::kind(dynamic)
    }

    fn group(dynamic: &Self::DynamicType) -> Cow<'_, str> {
        K::group(dynamic)
    }

    fn version(dynamic: &Self::DynamicType) -> Cow<'_, str> {
        K::version(dynamic)
    }

    fn plural(dynamic: &Self::DynamicType) -> Cow<'_, str> {
        K::plural(dynamic)
    }

    fn meta(&self) -> &ObjectMeta {
        self.0.meta()
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        self.0.meta_mut()
    }
}

macro_rules! partially_decoded {
    ($($whole:ident by $kept:ident),+) => {
        $(impl<'de> Deserialize<'de> for PartialDecode<$whole> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $kept::deserialize(deserializer).map(|kept| Self(kept.into()))
            }
        }

        impl StripFields for $whole {
            type Wire = PartialDecode<Self>;

            fn strip_fields(self) -> Self {
                $kept::from(self).into()
            }

            fn from_wire(wire: PartialDecode<Self>) -> Self {
                wire.0
            }
        })+
    };
}

partially_decoded!(Job by KeptJob, Pod by KeptPod);

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;

    fn metadata() -> Value {
        json!({
            "name": "a-1", "generateName": "a-", "namespace": "ns", "uid": "u", "resourceVersion": "7", "generation": 2,
            "creationTimestamp": "2026-11-21T00:00:00Z", "deletionTimestamp": "2026-11-21T00:01:00Z",
            "deletionGracePeriodSeconds": 30, "labels": {"l": "1"}, "annotations": {"a": "1"},
            "ownerReferences": [{"apiVersion": "v1", "kind": "K", "name": "o", "uid": "o", "controller": true}],
            "finalizers": ["f"], "managedFields": [{"manager": "m", "fieldsV1": {"f:spec": {}}}],
        })
    }

    /// The same fields are kept of an object that is decoded and of one that a call returned.
    #[track_caller]
    fn keeps<K>(sent: &Value, kept: &Value)
    where
        K: StripFields<Wire = PartialDecode<K>>
            + PartialEq
            + std::fmt::Debug
            + DeserializeOwned
            + serde::Serialize,
        PartialDecode<K>: DeserializeOwned,
    {
        let whole: K = serde_json::from_value(sent.clone()).expect("an object");
        let decoded = K::from_wire(serde_json::from_value(sent.clone()).expect("an object"));
        let mut json = serde_json::to_value(&decoded).expect("JSON");
        for field in ["apiVersion", "kind"] {
            json.as_object_mut().expect("an object").remove(field);
        }
        assert_eq!(&json, kept);
        assert_eq!(decoded, whole.strip_fields());
    }

    fn kept_metadata(dropped: &[&str]) -> Value {
        let mut metadata = metadata();
        for field in ["finalizers", "managedFields"].iter().chain(dropped) {
            metadata.as_object_mut().expect("an object").remove(*field);
        }
        metadata
    }

    #[test]
    fn of_a_pod_its_phase_its_containers_states_and_two_conditions_are_kept() {
        let state =
            json!({"terminated": {"exitCode": 1, "message": "m", "finishedAt": "2026-11-21T00:00:30Z"}});
        let unschedulable =
            json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "none"});
        let sent = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": metadata(),
            "spec": {"containers": [{"name": "step", "image": "i"}], "nodeName": "n"},
            "status": {
                "phase": "Failed", "reason": "Evicted", "message": "low on memory", "podIP": "198.18.0.9", "qosClass": "Burstable",
                "conditions": [unschedulable, {"type": "Ready", "status": "False"}],
                "containerStatuses": [{
                    "name": "step", "image": "i", "imageID": "x", "ready": false, "restartCount": 2, "state": state, "lastState": state,
                }],
            },
        });
        let kept = json!({
            "metadata": kept_metadata(&["annotations"]),
            "status": {
                "phase": "Failed", "reason": "Evicted", "message": "low on memory", "conditions": [unschedulable],
                "containerStatuses": [{
                    "name": "step", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": state, "lastState": state,
                }],
            },
        });
        keeps::<Pod>(&sent, &kept);
    }

    #[test]
    fn of_a_job_how_many_pods_it_runs_and_how_it_stands_is_kept() {
        let spec = json!({
            "activeDeadlineSeconds": 60, "backoffLimit": 3, "completionMode": "Indexed", "completions": 6, "parallelism": 2, "suspend": true,
            "selector": {"matchLabels": {"l": "1"}}, "podFailurePolicy": {"rules": []}, "podReplacementPolicy": "Failed",
            "ttlSecondsAfterFinished": 9, "manualSelector": false,
            "template": {"spec": {"containers": [{"name": "step", "image": "i"}]}},
        });
        let status = json!({
            "active": 1, "succeeded": 3, "failed": 2, "completedIndexes": "0-2", "failedIndexes": "3",
            "startTime": "2026-11-21T00:00:00Z", "completionTime": "2026-11-21T00:00:50Z",
            "conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "m"}],
            "ready": 1, "terminating": 1, "uncountedTerminatedPods": {"failed": ["u"]},
        });
        let without = |from: &Value, dropped: &[&str]| {
            let mut kept = from.clone();
            dropped.iter().for_each(|field| drop(kept.as_object_mut().expect("an object").remove(*field)));
            kept
        };
        let dropped = [
            "selector",
            "podFailurePolicy",
            "podReplacementPolicy",
            "ttlSecondsAfterFinished",
            "manualSelector",
            "template",
        ];
        // The template is the one field of a Job's spec that its type requires.
        let mut kept_spec = without(&spec, &dropped);
        kept_spec["template"] = json!({});
        let kept = json!({
            "metadata": kept_metadata(&[]),
            "spec": kept_spec,
            "status": without(&status, &["ready", "terminating", "uncountedTerminatedPods"]),
        });
        keeps::<Job>(
            &json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata(), "spec": spec, "status": status}),
            &kept,
        );
    }

    #[test]
    fn an_object_without_spec_or_status_is_decoded() {
        for bare in [json!({"metadata": {}}), json!({"metadata": {"name": "a"}, "spec": {}, "status": {}})] {
            serde_json::from_value::<PartialDecode<Pod>>(bare.clone()).expect("a pod");
            serde_json::from_value::<PartialDecode<Job>>(bare).expect("a job");
        }
    }
}
