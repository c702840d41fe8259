//! The children of one pipeline, by a few list calls: for programs without caches, such as `kubectl mlpipeline plan`.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use kube::api::{Api, ListParams};
use kube::{Client, Resource};
use serde::de::DeserializeOwned;

use mlpipeline_core::labels::label;
use mlpipeline_core::names;
use mlpipeline_core::observation::Snapshot;

/// A list call that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot list {kind} in namespace {namespace}")]
pub struct ListError {
    kind: String,
    namespace: String,
    source: kube::Error,
}

/// Lists everything that belongs to a pipeline.
///
/// # Errors
/// When the API server cannot be reached or refuses a list.
pub async fn list_children(client: &Client, namespace: &str, pipeline: &str) -> Result<Snapshot, ListError> {
    let selector = format!("{}={}", label::PIPELINE, names::label(pipeline));
    let (jobs, cron_jobs, pods, deployments, stateful_sets, daemon_sets, horizontal_pod_autoscalers, claims) =
        futures::try_join!(
            list::<Job>(client, namespace, &selector),
            list::<CronJob>(client, namespace, &selector),
            list::<Pod>(client, namespace, &selector),
            list::<Deployment>(client, namespace, &selector),
            list::<StatefulSet>(client, namespace, &selector),
            list::<DaemonSet>(client, namespace, &selector),
            list::<HorizontalPodAutoscaler>(client, namespace, &selector),
            list::<PersistentVolumeClaim>(client, namespace, &selector),
        )?;
    Ok(Snapshot {
        jobs,
        cron_jobs,
        pods,
        deployments,
        stateful_sets,
        daemon_sets,
        horizontal_pod_autoscalers,
        claims,
        // An address is no part of a plan, and who plans need not have the right to list Services.
        services: Vec::new(),
        // What the cluster warned of explains a wait; a plan does not depend on it.
        warning_events: BTreeMap::new(),
    })
}

async fn list<K>(client: &Client, namespace: &str, selector: &str) -> Result<Vec<Arc<K>>, ListError>
where
    K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
        + Clone
        + DeserializeOwned
        + std::fmt::Debug,
{
    let api: Api<K> = Api::namespaced(client.clone(), namespace);
    let listed = api.list(&ListParams::default().labels(selector)).await;
    listed.map(|list| list.items.into_iter().map(Arc::new).collect()).map_err(|source| ListError {
        kind: K::plural(&()).into_owned(),
        namespace: namespace.to_owned(),
        source,
    })
}
