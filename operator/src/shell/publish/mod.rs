//! Says how a pipeline stands: the status, written only where it differs, and an event on each transition.

mod difference;
mod transitions;

use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::core::ApiResource;
use kube::runtime::events::Event;
use mlpipeline_crds::{MLPipeline, MLPipelineStatus};
use serde_json::json;
use tokio::time::Instant;

use super::cache::index::version;
use super::context::Context;
use super::problem::{Class, Failure};
use crate::core::build::MANAGER;

use self::difference::{Difference, difference};

/// How long small differences may stay unwritten: a step that goes on within it spares the API server a write.
const SMALL_DELAY: Duration = Duration::from_secs(3);
/// The longest that events may take; they are a courtesy.
const EVENT_TIMEOUT: Duration = Duration::from_secs(3);

/// The status before: the one that we wrote last, where the watch is behind it.
#[must_use]
pub fn previous(
    context: &Context,
    metadata: &ObjectMeta,
    stored: Option<&MLPipelineStatus>,
) -> Option<MLPipelineStatus> {
    let uid = metadata.uid.as_deref().unwrap_or_default();
    let written = context.memory.with(uid, |remembered| remembered.written.clone());
    match written {
        Some((own, status)) if version(metadata).is_some_and(|known| known < own) => Some(status),
        _ => stored.cloned(),
    }
}

/// Publishes a status; answers when to come back to write what was not worth a write of its own yet.
///
/// # Errors
/// When the API server does not take it.
pub async fn publish(
    context: &Context,
    metadata: &ObjectMeta,
    before: Option<&MLPipelineStatus>,
    next: &MLPipelineStatus,
) -> Result<Option<Duration>, Failure> {
    let uid = metadata.uid.clone().unwrap_or_default();
    let difference = difference(before, next);
    let due = context.memory.with(&uid, |remembered| match difference {
        Difference::None => {
            remembered.unwritten_since = None;
            None
        }
        Difference::Large => Some(Duration::ZERO),
        Difference::Small => {
            let since = *remembered.unwritten_since.get_or_insert_with(Instant::now);
            Some(SMALL_DELAY.saturating_sub(since.elapsed()))
        }
    });
    match due {
        None => return Ok(None),
        Some(wait) if !wait.is_zero() => return Ok(Some(wait)),
        Some(_) => {}
    }
    let namespace = metadata.namespace.as_deref().unwrap_or_default();
    let name = metadata.name.as_deref().unwrap_or_default();
    if let Some(version) = write(context, namespace, name, &uid, next).await? {
        context.memory.with(&uid, |remembered| {
            remembered.unwritten_since = None;
            remembered.written = Some((version, next.clone()));
        });
        let events = transitions::transitions(Some(namespace), before, next);
        announce(context, &reference(metadata), &events).await;
    }
    Ok(None)
}

/// Writes a status; answers the version that it made, or nothing where the pipeline is gone.
async fn write(
    context: &Context,
    namespace: &str,
    name: &str,
    uid: &str,
    status: &MLPipelineStatus,
) -> Result<Option<u64>, Failure> {
    let resource = ApiResource::erase::<MLPipeline>(&());
    // Whatever is wrong with the rest of the resource, its status can be written.
    let api: Api<DynamicObject> = Api::namespaced_with(context.client.clone(), namespace, &resource);
    let body = json!({
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": { "name": name, "uid": uid },
        "status": status,
    });
    let parameters = PatchParams::apply(MANAGER).force();
    match api.patch_status(name, &parameters, &Patch::Apply(&body)).await {
        Ok(written) => Ok(Some(version(&written.metadata).unwrap_or_default())),
        Err(kube::Error::Api(answer)) if answer.code == 404 => Ok(None),
        Err(error) => {
            let failure = Failure::of_call(&format!("the status of MLPipeline {name}"), &error);
            match failure.class {
                Class::Ending => Ok(None),
                _ => Err(failure),
            }
        }
    }
}

/// Writes events, and gives up soon: they must never hold anything up.
async fn announce(context: &Context, about: &ObjectReference, events: &[Event]) {
    let all = async {
        for event in events {
            if let Err(error) = context.recorder.publish(event, about).await {
                tracing::debug!(%error, reason = event.reason, "an event was not taken");
            }
        }
    };
    if tokio::time::timeout(EVENT_TIMEOUT, all).await.is_err() {
        tracing::debug!("events took too long and were given up");
    }
}

fn reference(metadata: &ObjectMeta) -> ObjectReference {
    ObjectReference {
        api_version: Some(MLPipeline::api_version(&()).into_owned()),
        kind: Some(MLPipeline::kind(&()).into_owned()),
        name: metadata.name.clone(),
        namespace: metadata.namespace.clone(),
        uid: metadata.uid.clone(),
        ..ObjectReference::default()
    }
}
