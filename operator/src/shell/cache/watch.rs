//! The watches that feed the cache, one a kind.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use futures::stream::{BoxStream, SelectAll};
use futures::{StreamExt, stream};
use k8s_openapi::NamespaceResourceScope;
use kube::api::Api;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Client, Resource};
use serde::de::DeserializeOwned;

use super::Cache;
use super::index::{Index, PipelineKey};
use super::prune::Prune;
use crate::core::build::{MANAGER, label};

/// All watches of children in one namespace, or in all. Each item names pipelines whose children have changed. The
/// stream must be polled for the cache to be kept; it never ends, and mends itself after errors.
pub fn watch_children(
    client: &Client,
    namespace: Option<&str>,
    cache: &Arc<Cache>,
) -> SelectAll<BoxStream<'static, BTreeSet<PipelineKey>>> {
    stream::select_all([
        watch(client, namespace, cache, |cache| &cache.jobs),
        watch(client, namespace, cache, |cache| &cache.pods),
        watch(client, namespace, cache, |cache| &cache.cron_jobs),
        watch(client, namespace, cache, |cache| &cache.deployments),
        watch(client, namespace, cache, |cache| &cache.stateful_sets),
        watch(client, namespace, cache, |cache| &cache.daemon_sets),
        watch(client, namespace, cache, |cache| &cache.services),
        watch(client, namespace, cache, |cache| &cache.autoscalers),
        watch(client, namespace, cache, |cache| &cache.budgets),
        watch(client, namespace, cache, |cache| &cache.ingresses),
        watch(client, namespace, cache, |cache| &cache.claims),
    ])
}

fn watch<K>(
    client: &Client,
    namespace: Option<&str>,
    cache: &Arc<Cache>,
    index: fn(&Cache) -> &Index<K>,
) -> BoxStream<'static, BTreeSet<PipelineKey>>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Prune
        + Clone
        + PartialEq
        + Debug
        + DeserializeOwned
        + Send
        + Sync
        + 'static,
{
    let cache = Arc::clone(cache);
    let ours = watcher::Config::default().labels(&format!("{}={MANAGER}", label::MANAGED_BY));
    watcher::watcher(api::<K>(client, namespace), ours)
        .default_backoff()
        .filter_map(move |event| {
            let touched = match event {
                Ok(event) => index(&cache).take_in(event.modify(Prune::prune)),
                Err(error) => {
                    tracing::warn!(kind = %K::plural(&()), %error, "a watch failed and is tried again");
                    BTreeSet::new()
                }
            };
            std::future::ready(Some(touched).filter(|touched| !touched.is_empty()))
        })
        .boxed()
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
