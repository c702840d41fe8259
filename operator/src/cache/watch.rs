//! The watches that feed the cache, one a kind.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use futures::stream::{BoxStream, SelectAll};
use futures::{StreamExt, stream};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{ObjectReference, PersistentVolumeClaim, Pod, Service};
use k8s_openapi::api::events::v1::Event as Warning;
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::Api;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use kube::{Client, Resource};
use serde::de::DeserializeOwned;

use super::Cache;
use super::index::{Index, PipelineKey};
use super::lean::Lean;
use super::prune::Prune;
use super::steady::{refusal, steady};
use super::warning_events;
use mlpipeline_core::labels::{MANAGER, label};

/// Whom a change touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touched {
    /// These pipelines.
    Some(BTreeSet<PipelineKey>),
    /// Every pipeline: what may be seen has changed.
    All,
}

/// All watches of children in one namespace, or in all. Each item tells whose children have changed. The stream must be
/// polled for the cache to be kept; it never ends, and mends itself after errors.
pub fn watch_children(
    client: &Client,
    namespace: Option<&str>,
    cache: &Arc<Cache>,
) -> SelectAll<BoxStream<'static, Touched>> {
    stream::select_all([
        watch::<Lean<Job>, Job>(client, namespace, cache, |cache| &cache.jobs),
        watch::<Lean<Pod>, Pod>(client, namespace, cache, |cache| &cache.pods),
        watch::<CronJob, CronJob>(client, namespace, cache, |cache| &cache.cron_jobs),
        watch::<Deployment, Deployment>(client, namespace, cache, |cache| &cache.deployments),
        watch::<StatefulSet, StatefulSet>(client, namespace, cache, |cache| &cache.stateful_sets),
        watch::<DaemonSet, DaemonSet>(client, namespace, cache, |cache| &cache.daemon_sets),
        watch::<Service, Service>(client, namespace, cache, |cache| &cache.services),
        watch::<HorizontalPodAutoscaler, HorizontalPodAutoscaler>(client, namespace, cache, |cache| {
            &cache.autoscalers
        }),
        watch::<PodDisruptionBudget, PodDisruptionBudget>(client, namespace, cache, |cache| &cache.budgets),
        watch::<Ingress, Ingress>(client, namespace, cache, |cache| &cache.ingresses),
        watch::<PersistentVolumeClaim, PersistentVolumeClaim>(client, namespace, cache, |cache| {
            &cache.claims
        }),
        watch_warnings(client, namespace, cache),
    ])
}

/// The watch of a kind: objects come off the wire as `W`, and are kept as `K`.
fn watch<W, K>(
    client: &Client,
    namespace: Option<&str>,
    cache: &Arc<Cache>,
    index: fn(&Cache) -> &Index<K>,
) -> BoxStream<'static, Touched>
where
    W: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Into<K>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + Sync
        + 'static,
    K: Resource<DynamicType = ()> + Prune + Clone + PartialEq + Send + Sync + 'static,
{
    let cache = Arc::clone(cache);
    let ours = watcher::Config::default().labels(&format!("{}={MANAGER}", label::MANAGED_BY));
    steady(api::<W>(client, namespace), ours)
        .filter_map(move |event| {
            let index = index(&cache);
            let touched = match event {
                Ok(event) => {
                    let is_complete = !matches!(event, Event::Init | Event::InitApply(_));
                    let touched = index.take_in(kept(event));
                    let sees_again = is_complete && index.note_sight();
                    if sees_again { Some(Touched::All) } else { some(touched) }
                }
                Err(error) => {
                    tracing::warn!(kind = %K::plural(&()), %error, "a watch failed and is tried again");
                    let is_news = refusal(&error).is_some_and(|said| index.note_refusal(said));
                    is_news.then_some(Touched::All)
                }
            };
            std::future::ready(touched)
        })
        .boxed()
}

/// An event with what is kept of its object.
fn kept<W: Into<K>, K: Prune>(event: Event<W>) -> Event<K> {
    let kept = |object: W| {
        let mut object: K = object.into();
        object.prune();
        object
    };
    match event {
        Event::Apply(object) => Event::Apply(kept(object)),
        Event::Delete(object) => Event::Delete(kept(object)),
        Event::InitApply(object) => Event::InitApply(kept(object)),
        Event::Init => Event::Init,
        Event::InitDone => Event::InitDone,
    }
}

/// The watch of the cluster's warnings. Nothing waits for it: without it a few reasons go unnamed.
fn watch_warnings(
    client: &Client,
    namespace: Option<&str>,
    cache: &Arc<Cache>,
) -> BoxStream<'static, Touched> {
    let cache = Arc::clone(cache);
    let warnings = watcher::Config::default().fields(warning_events::SELECTOR);
    watcher::watcher(api::<Warning>(client, namespace), warnings)
        .default_backoff()
        .filter_map(move |event| {
            let touched = match event {
                Ok(Event::Apply(warning) | Event::InitApply(warning)) => {
                    cache.warning_events.take_in(warning).and_then(|about| home(&cache, &about))
                }
                Ok(Event::Init | Event::InitDone | Event::Delete(_)) => None,
                Err(error) => {
                    tracing::warn!(kind = "events", %error, "a watch failed and is tried again");
                    None
                }
            };
            std::future::ready(some(touched.into_iter().collect()))
        })
        .boxed()
}

/// The pipeline that a warning is about.
fn home(cache: &Cache, about: &ObjectReference) -> Option<PipelineKey> {
    let (namespace, name) = (about.namespace.as_deref()?, about.name.as_deref()?);
    match about.kind.as_deref()? {
        "PersistentVolumeClaim" => cache.claims.home(namespace, name),
        "Pod" => cache.pods.home(namespace, name),
        "Job" => cache.jobs.home(namespace, name),
        "StatefulSet" => cache.stateful_sets.home(namespace, name),
        "DaemonSet" => cache.daemon_sets.home(namespace, name),
        _ => None,
    }
}

fn some(touched: BTreeSet<PipelineKey>) -> Option<Touched> {
    (!touched.is_empty()).then_some(Touched::Some(touched))
}

/// The API of one namespace, or of all.
pub(crate) fn api<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}
