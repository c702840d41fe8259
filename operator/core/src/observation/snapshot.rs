//! The children of one pipeline, as they were found, before anything is made of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, Service};

use crate::observed::PodIssue;

/// The children of one pipeline, as they were found: shared with whoever found them, since pods and Jobs are many and large.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Jobs, those of CronJobs among them.
    pub jobs: Vec<Arc<Job>>,
    /// CronJobs.
    pub cron_jobs: Vec<Arc<CronJob>>,
    /// Pods of all children.
    pub pods: Vec<Arc<Pod>>,
    /// Deployments.
    pub deployments: Vec<Arc<Deployment>>,
    /// StatefulSets.
    pub stateful_sets: Vec<Arc<StatefulSet>>,
    /// DaemonSets.
    pub daemon_sets: Vec<Arc<DaemonSet>>,
    /// Autoscalers.
    pub horizontal_pod_autoscalers: Vec<Arc<HorizontalPodAutoscaler>>,
    /// Addresses for pods.
    pub services: Vec<Arc<Service>>,
    /// The pipeline's claims: of the volume that the pods share, and of those that replicas have for themselves.
    pub claims: Vec<Arc<PersistentVolumeClaim>>,
    /// What the cluster last warned of, by the uid of the object that it is about.
    pub warning_events: BTreeMap<String, WarningEvent>,
}

/// A warning of the cluster's own controllers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WarningEvent {
    /// What it says.
    pub pod_issue: PodIssue,
    /// When it was last said, where it says.
    pub time: Option<Timestamp>,
}
