//! What exists, as the watches last told it: every kind of child, by pipeline.
//!
//! Owns the memory of the API server's objects and nothing else. Only objects that carry our `managed-by` label are watched,
//! so other people's objects cost nothing.

pub mod index;
pub mod kind;
mod lean;
mod prune;
mod refusal;
pub(super) mod steady;
pub mod warning_events;
pub mod watch;

use std::sync::{Arc, Mutex, PoisonError};

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, Service};
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use self::index::{Index, PipelineKey};
use self::kind::Kind;
use self::prune::Prune;
use self::refusal::Refusal;
use self::warning_events::WarningEvents;

/// Every child that is known.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "each field is named after the kind that it holds")]
pub struct Cache {
    pub jobs: Index<Job>,
    pub pods: Index<Pod>,
    pub cron_jobs: Index<CronJob>,
    pub deployments: Index<Deployment>,
    pub stateful_sets: Index<StatefulSet>,
    pub daemon_sets: Index<DaemonSet>,
    pub services: Index<Service>,
    pub autoscalers: Index<HorizontalPodAutoscaler>,
    pub budgets: Index<PodDisruptionBudget>,
    pub ingresses: Index<Ingress>,
    pub claims: Index<PersistentVolumeClaim>,
    pub warning_events: WarningEvents,
    /// Whether the pipelines themselves may be seen.
    own: Mutex<Refusal>,
}

/// A child of any kind that is applied, as it was found.
#[derive(Clone)]
pub struct Found {
    /// What it is.
    pub kind: Kind,
    object: Arc<dyn Object>,
}

impl Found {
    /// Its metadata.
    #[must_use]
    pub fn metadata(&self) -> &ObjectMeta {
        self.object.metadata()
    }

    /// All of it, as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        self.object.json()
    }
}

/// What every object can do.
trait Object: Send + Sync {
    fn metadata(&self) -> &ObjectMeta;
    fn json(&self) -> Value;
}

impl<K: Resource<DynamicType = ()> + Serialize + Send + Sync> Object for K {
    fn metadata(&self) -> &ObjectMeta {
        self.meta()
    }

    fn json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl Cache {
    /// Kinds whose first list is not complete yet, and those that the API server refuses to show; whether it does.
    #[must_use]
    pub fn missing(&self) -> Vec<(&'static str, bool)> {
        self.kinds()
            .into_iter()
            .filter(|kind| !kind.ready || kind.refused.is_some())
            .map(|kind| (kind.name, kind.refused.is_some()))
            .collect()
    }

    /// Kinds whose first list is still to come. One that is refused may never come.
    #[must_use]
    pub fn awaited(&self) -> Vec<&'static str> {
        self.kinds()
            .into_iter()
            .filter(|kind| !kind.ready && kind.refused.is_none())
            .map(|kind| kind.name)
            .collect()
    }

    /// Kinds that the API server refuses to show, with what it says.
    #[must_use]
    pub fn refused(&self) -> Vec<(&'static str, String)> {
        self.kinds().into_iter().filter_map(|kind| Some((kind.name, kind.refused?))).collect()
    }

    /// What the API server says where it refuses to show the pipelines themselves, and has done so for a while.
    #[must_use]
    pub fn pipelines_refused(&self) -> Option<String> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).said().map(str::to_owned)
    }

    /// Notes that the API server refused to show the pipelines themselves, of which a list is known or not; whether that is news.
    pub fn note_pipelines_refused(&self, said: String, has_list: bool) -> bool {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).note(said, has_list, Instant::now())
    }

    /// Notes that the API server shows the pipelines themselves; whether that is news.
    pub fn note_pipelines_seen(&self) -> bool {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).end()
    }

    fn kinds(&self) -> [Standing; 11] {
        [
            Standing::of("jobs", &self.jobs),
            Standing::of("pods", &self.pods),
            Standing::of("cronjobs", &self.cron_jobs),
            Standing::of("deployments", &self.deployments),
            Standing::of("statefulsets", &self.stateful_sets),
            Standing::of("daemonsets", &self.daemon_sets),
            Standing::of("services", &self.services),
            Standing::of("horizontalpodautoscalers", &self.autoscalers),
            Standing::of("poddisruptionbudgets", &self.budgets),
            Standing::of("ingresses", &self.ingresses),
            Standing::of("persistentvolumeclaims", &self.claims),
        ]
    }

    /// Everything of a pipeline's that is applied.
    #[must_use]
    pub fn applied(&self, key: &PipelineKey) -> Vec<Found> {
        let mut all = Vec::new();
        collect(&self.claims, Kind::Claim, key, &mut all);
        collect(&self.cron_jobs, Kind::CronJob, key, &mut all);
        collect(&self.deployments, Kind::Deployment, key, &mut all);
        collect(&self.stateful_sets, Kind::StatefulSet, key, &mut all);
        collect(&self.daemon_sets, Kind::DaemonSet, key, &mut all);
        collect(&self.services, Kind::Service, key, &mut all);
        collect(&self.autoscalers, Kind::Autoscaler, key, &mut all);
        collect(&self.budgets, Kind::Budget, key, &mut all);
        collect(&self.ingresses, Kind::Ingress, key, &mut all);
        all
    }

    /// Takes in what a write of ours was answered with.
    pub fn insert(&self, kind: Kind, object: Value) {
        match kind {
            Kind::Claim => insert(&self.claims, object),
            Kind::CronJob => insert(&self.cron_jobs, object),
            Kind::Deployment => insert(&self.deployments, object),
            Kind::StatefulSet => insert(&self.stateful_sets, object),
            Kind::DaemonSet => insert(&self.daemon_sets, object),
            Kind::Service => insert(&self.services, object),
            Kind::Autoscaler => insert(&self.autoscalers, object),
            Kind::Budget => insert(&self.budgets, object),
            Kind::Ingress => insert(&self.ingresses, object),
        }
    }

    /// Takes in a Job that was created.
    pub fn insert_job(&self, mut job: Job) {
        job.prune();
        self.jobs.insert(job);
    }

    /// Takes in a pod that was looked up; whether it was not known like this.
    pub fn insert_pod(&self, mut pod: Pod) -> bool {
        pod.prune();
        self.pods.insert(pod)
    }

    /// Forgets what was deleted.
    pub fn remove(&self, kind: Kind, object: &ObjectMeta) {
        match kind {
            Kind::Claim => self.claims.remove(object),
            Kind::CronJob => self.cron_jobs.remove(object),
            Kind::Deployment => self.deployments.remove(object),
            Kind::StatefulSet => self.stateful_sets.remove(object),
            Kind::DaemonSet => self.daemon_sets.remove(object),
            Kind::Service => self.services.remove(object),
            Kind::Autoscaler => self.autoscalers.remove(object),
            Kind::Budget => self.budgets.remove(object),
            Kind::Ingress => self.ingresses.remove(object),
        }
    }
}

/// How one kind's cache stands.
struct Standing {
    name: &'static str,
    ready: bool,
    refused: Option<String>,
}

impl Standing {
    fn of<K: Resource<DynamicType = ()> + Clone + PartialEq>(name: &'static str, index: &Index<K>) -> Self {
        Self { name, ready: index.is_ready(), refused: index.refused() }
    }
}

fn collect<K>(index: &Index<K>, kind: Kind, key: &PipelineKey, all: &mut Vec<Found>)
where
    K: Resource<DynamicType = ()> + Clone + PartialEq + Serialize + Send + Sync + 'static,
{
    all.extend(index.of(key).into_iter().map(|object| Found { kind, object }));
}

/// An answer that cannot be read is left to the watch, which will bring the object again.
fn insert<K: Resource<DynamicType = ()> + Clone + PartialEq + DeserializeOwned + Prune>(
    index: &Index<K>,
    object: Value,
) {
    if let Ok(mut object) = serde_json::from_value::<K>(object) {
        object.prune();
        index.insert(object);
    }
}
