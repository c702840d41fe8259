//! The watch that feeds the cache of one kind.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::BoxStream;
use k8s_openapi::NamespaceResourceScope;
use kube::api::Api;
use kube::runtime::watcher::{self, Event};
use kube::{Client, Resource};
use serde::de::DeserializeOwned;

use super::field_stripping::StripFields;
use super::index::{Index, PipelineKey};
use super::resilient_watch::{denial, log_watch_error, resilient_watch};
use mlpipeline_core::labels::{MANAGER, label};

/// The pipelines that a change affects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Affected {
    /// These pipelines.
    Some(BTreeSet<PipelineKey>),
    /// Every pipeline: what the operator can see has changed.
    All,
}

/// How many objects a page of a list has. One is decoded at a time, and an object may have a quarter of a megabyte of other people's
/// annotations.
const PAGE_OBJECTS: u32 = 100;

/// The watch of one kind, whose objects are stored in this index of the cache.
pub(super) fn watch<C, K>(
    client: &Client,
    namespace: Option<&str>,
    cache: &Arc<C>,
    index: fn(&C) -> &Index<K>,
) -> BoxStream<'static, Affected>
where
    C: Send + Sync + 'static,
    K: Resource<DynamicType = ()> + StripFields + Clone + PartialEq + Send + Sync + 'static,
    K::Wire: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + 'static,
{
    let cache = Arc::clone(cache);
    let ours = watcher::Config::default()
        .labels(&format!("{}={MANAGER}", label::MANAGED_BY))
        .page_size(PAGE_OBJECTS);
    resilient_watch(api::<K::Wire>(client, namespace), ours)
        .filter_map(move |event| {
            let index = index(&cache);
            let affected = match event {
                Ok(event) => {
                    let is_complete = !matches!(event, Event::Init | Event::InitApply(_));
                    let affected = index.apply_event(stripped(event));
                    let is_allowed_again = is_complete && index.note_allowed();
                    if is_allowed_again { Some(Affected::All) } else { some(affected) }
                }
                Err(error) => {
                    log_watch_error(&K::plural(&()), None, &error);
                    let is_new = denial(&error).is_some_and(|message| index.note_denied(message));
                    is_new.then_some(Affected::All)
                }
            };
            std::future::ready(affected)
        })
        .boxed()
}

/// An event with what is cached of its object.
fn stripped<K: StripFields>(event: Event<K::Wire>) -> Event<K> {
    match event {
        Event::Apply(object) => Event::Apply(K::from_wire(object)),
        Event::Delete(object) => Event::Delete(K::from_wire(object)),
        Event::InitApply(object) => Event::InitApply(K::from_wire(object)),
        Event::Init => Event::Init,
        Event::InitDone => Event::InitDone,
    }
}

/// The pipelines of an event, where there are any.
pub(super) fn some(affected: BTreeSet<PipelineKey>) -> Option<Affected> {
    (!affected.is_empty()).then_some(Affected::Some(affected))
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
