//! The watch of the pipelines themselves: which one to reconcile because of an event, and what to forget of those that are gone.

use std::future::ready;
use std::sync::Arc;

use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use kube::Resource;
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher::{self, Event};

use super::cache::index::{PipelineKey, version};
use super::cache::resilient_watch::{denial, log_watch_error, resilient_watch};
use super::cache::watch::{Affected, api};
use super::context::Context;
use super::deserialize_guard::DeserializeGuard;
use mlpipeline_core::names;

/// How many pipelines a page of a list has: each may be as large as any object, 1.5 MiB.
const PAGE_PIPELINES: u32 = 50;

/// The watch of pipelines. Our own status writes trigger nothing.
pub(super) fn watch_pipelines(
    context: &Arc<Context>,
    namespace: Option<&str>,
    mut writer: Writer<DeserializeGuard>,
) -> BoxStream<'static, ObjectRef<DeserializeGuard>> {
    let (context, known) = (Arc::clone(context), writer.as_reader());
    let pipelines = api::<DeserializeGuard>(&context.client, namespace);
    let scope = namespace.unwrap_or("all namespaces").to_owned();
    resilient_watch(pipelines, watcher::Config::default().page_size(PAGE_PIPELINES))
        .filter_map(move |event| {
            let affected = match event {
                Ok(event) => {
                    let event = event.modify(strip);
                    let affected = affected(&context, &known, &event);
                    let is_complete = !matches!(event, Event::Init | Event::InitApply(_));
                    if is_complete && context.cache.note_pipelines_allowed() {
                        tracing::info!(scope, "the API server allows access to pipelines again");
                    }
                    let before = matches!(event, Event::InitDone).then(|| known.state());
                    writer.apply_watcher_event(&event);
                    if let Some(before) = before {
                        forget_missing(&context, &known, &before);
                    }
                    affected
                }
                Err(error) => {
                    log_watch_error("mlpipelines", Some(&scope), &error);
                    note_denied(&context, &known, &scope, &error);
                    None
                }
            };
            ready(affected)
        })
        .boxed()
}

/// Drops what the operator never reads: kubectl keeps a second copy of the whole spec in an annotation.
fn strip(pipeline: &mut DeserializeGuard) {
    let metadata = pipeline.meta_mut();
    (metadata.managed_fields, metadata.annotations) = (None, None);
}

fn note_denied(context: &Context, known: &Store<DeserializeGuard>, scope: &str, error: &watcher::Error) {
    let has_list = known.wait_until_ready().now_or_never().is_some();
    if denial(error).is_some_and(|message| context.cache.note_pipelines_denied(message, has_list)) {
        tracing::error!(
            scope,
            "the API server denies access to pipelines there, and they are not reconciled until it allows it; bind the \
             operator's Role there (deploy/config/rbac)"
        );
    }
}

/// Forgets what a list did not contain: nothing reports a deletion that happened while the watch was down.
fn forget_missing(context: &Context, known: &Store<DeserializeGuard>, before: &[Arc<DeserializeGuard>]) {
    let exist = known.state().iter().filter_map(|pipeline| pipeline.meta().uid.clone()).collect();
    context.states.retain(&exist);
    for pipeline in before {
        let reference = ObjectRef::from_obj(pipeline.as_ref());
        if known.get(&reference).is_none() {
            context.metrics.forget(&reference);
        }
    }
}

/// The pipeline to reconcile because of an event. One that a list did not contain for a moment is reconciled in any case: the
/// events of its children meanwhile were lost.
fn affected(
    context: &Context,
    known: &Store<DeserializeGuard>,
    event: &Event<DeserializeGuard>,
) -> Option<ObjectRef<DeserializeGuard>> {
    let uid = |pipeline: &DeserializeGuard| pipeline.meta().uid.clone().unwrap_or_default();
    match event {
        Event::Apply(pipeline) | Event::InitApply(pipeline) => {
            context.states.add(&uid(pipeline));
            let reference = ObjectRef::from_obj(pipeline);
            let is_own = version(pipeline.meta())
                .is_some_and(|version| context.states.is_own_write(&uid(pipeline), version));
            (!is_own || known.get(&reference).is_none()).then_some(reference)
        }
        Event::Delete(pipeline) => {
            context.states.remove(&uid(pipeline));
            context.metrics.forget(&ObjectRef::from_obj(pipeline));
            None
        }
        Event::Init | Event::InitDone => None,
    }
}

/// The pipelines that a change of children affects. A label holds short names as they are, and a hash of long ones.
pub(super) fn references(
    pipelines: &Store<DeserializeGuard>,
    affected: &Affected,
) -> Vec<ObjectRef<DeserializeGuard>> {
    let affected = match affected {
        Affected::Some(affected) => affected,
        Affected::All => {
            return pipelines.state().iter().map(|pipeline| ObjectRef::from_obj(pipeline.as_ref())).collect();
        }
    };
    let reference = |key: &PipelineKey| {
        let plain = ObjectRef::<DeserializeGuard>::new(&key.label).within(&key.namespace);
        if pipelines.get(&plain).is_some() {
            return Some(plain);
        }
        let named = pipelines.find(|pipeline| {
            let metadata = pipeline.meta();
            metadata.namespace.as_ref() == Some(&key.namespace)
                && metadata.name.as_deref().is_some_and(|name| names::label(name) == key.label)
        });
        named.map(|pipeline| ObjectRef::from_obj(pipeline.as_ref()))
    };
    affected.iter().filter_map(reference).collect()
}
