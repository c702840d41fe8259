//! All watches that feed the cache, in one stream.

use std::sync::Arc;

use futures::stream::{BoxStream, SelectAll};
use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event as WarningEvent;
use kube::Client;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};

use super::index::PipelineKey;
use super::kinds::{Cache, watches};
use super::resilient_watch::log_watch_error;
use super::warning_events;
use super::watch::{Affected, api, some};
use crate::connection::WATCH_WITHOUT_BOOKMARKS;

/// All watches of children in one namespace, or in all. Each item names the pipelines whose children have changed. The cache is
/// up to date only while the stream is polled; it never ends, and recovers after errors.
pub fn watch_children(
    client: &Client,
    namespace: Option<&str>,
    cache: &Arc<Cache>,
) -> SelectAll<BoxStream<'static, Affected>> {
    let warnings = watch_warnings(client, namespace, cache);
    stream::select_all(watches(client, namespace, cache).into_iter().chain([warnings]))
}

/// The watch of the cluster's warnings. Nothing waits for it: without it some messages are less precise.
fn watch_warnings(
    client: &Client,
    namespace: Option<&str>,
    cache: &Arc<Cache>,
) -> BoxStream<'static, Affected> {
    let cache = Arc::clone(cache);
    let warnings =
        watcher::Config::default().fields(warning_events::SELECTOR).timeout(WATCH_WITHOUT_BOOKMARKS);
    watcher::watcher(api::<WarningEvent>(client, namespace), warnings)
        .default_backoff()
        .filter_map(move |event| {
            let affected = match event {
                Ok(Event::Apply(warning) | Event::InitApply(warning)) => {
                    cache.warning_events.insert(warning).and_then(|about| owner_key(&cache, &about))
                }
                Ok(Event::Init | Event::InitDone | Event::Delete(_)) => None,
                Err(error) => {
                    log_watch_error("events", None, &error);
                    None
                }
            };
            std::future::ready(some(affected.into_iter().collect()))
        })
        .boxed()
}

/// The pipeline that a warning is about.
fn owner_key(cache: &Cache, about: &ObjectReference) -> Option<PipelineKey> {
    cache.owner_key(about.kind.as_deref()?, about.namespace.as_deref()?, about.name.as_deref()?)
}
