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

use super::field_stripping::{StripFields, own_annotations};

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
    /// How many pods a Job runs, for how long, and whether it goes by itself: the rest of it never changes.
    KeptJobSpec of JobSpec {
        active_deadline_seconds: i64,
        backoff_limit: i32,
        completion_mode: String,
        completions: i32,
        parallelism: i32,
        suspend: bool,
        ttl_seconds_after_finished: i32,
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
        init_container_statuses: Vec<ContainerStatus>,
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
            metadata: own_annotations(kept.metadata.into(), 0),
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
    /// Keeps the conditions that are read, and the state of containers.
    fn strip_lists(mut self) -> Self {
        let mut conditions = self.conditions.unwrap_or_default();
        let is_running = self.phase.as_deref() == Some("Running");
        conditions.retain(|condition| is_read(condition, is_running));
        self.conditions = (!conditions.is_empty()).then_some(conditions);
        let strip = |all: Vec<ContainerStatus>| all.into_iter().map(strip_container_status).collect();
        self.container_statuses = self.container_statuses.map(strip);
        self.init_container_statuses = self.init_container_statuses.map(strip);
        self
    }
}

/// No node was found; the cluster removes the pod; the pod is ready; its containers are, and its node does not report any more. The
/// kubelet gives a reason for each pod that is not ready, which is read while it runs.
fn is_read(condition: &PodCondition, is_running: bool) -> bool {
    match (condition.type_.as_str(), condition.status.as_str()) {
        ("PodScheduled", "False") | ("DisruptionTarget" | "Ready" | "ContainersReady", "True") => true,
        ("Ready", "False") => is_running || condition.reason.is_none(),
        _ => false,
    }
}

/// Keeps a container's image and its states.
fn strip_container_status(status: ContainerStatus) -> ContainerStatus {
    ContainerStatus {
        name: status.name,
        image: status.image,
        started: status.started,
        state: status.state,
        // How a container ended before, and how often, matters only until it is ready again.
        restart_count: if status.ready { 0 } else { status.restart_count },
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
#[path = "partial_decode_tests.rs"]
mod tests;
