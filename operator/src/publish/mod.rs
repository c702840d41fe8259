//! Publishes how a pipeline stands: the status, written only where it differs, and an event on each transition.

mod difference;
mod transitions;

use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::core::ApiResource;
use mlpipeline_crds::{MLPipeline, MLPipelineStatus};
use serde_json::json;
use tokio::time::Instant;

use super::cache::index::version;
use super::context::Context;
use super::failure::{Class, Failure};
use super::installed_crd;
use mlpipeline_core::labels::MANAGER;

use self::difference::{Difference, difference};

/// How long small differences may stay unwritten: a step that proceeds within it saves the API server a write.
const SMALL_DELAY: Duration = Duration::from_secs(3);

/// The previous status: the one that we wrote last, where the watch is behind it.
#[must_use]
pub fn previous(
    context: &Context,
    metadata: &ObjectMeta,
    stored: Option<&MLPipelineStatus>,
) -> Option<MLPipelineStatus> {
    let uid = metadata.uid.as_deref().unwrap_or_default();
    let written = context.states.with(uid, |state| state.written.clone());
    match written {
        Some((own, status)) if version(metadata).is_some_and(|known| known < own) => Some(status),
        _ => stored.cloned(),
    }
}

/// Publishes a status; when to come back to write what was not worth a write of its own yet.
///
/// # Errors
/// When the API server does not accept it.
pub async fn publish(
    context: &Context,
    metadata: &ObjectMeta,
    before: Option<&MLPipelineStatus>,
    mut next: MLPipelineStatus,
) -> Result<Option<Duration>, Failure> {
    let uid = metadata.uid.clone().unwrap_or_default();
    installed_crd::set_condition(&context.installed.borrow(), &mut next, before, (context.clock)());
    let difference = difference(before, &next);
    let due = context.states.with(&uid, |state| {
        let due = match difference {
            Difference::None => None,
            Difference::Small => Some(
                *state
                    .due
                    .get_or_insert_with(|| context.progress.next_turn().max(Instant::now() + SMALL_DELAY)),
            ),
            Difference::Progress => {
                let turn = state.turn.get_or_insert_with(|| context.progress.next_turn());
                Some(state.due.map_or(*turn, |due| due.min(*turn)))
            }
            Difference::Large => Some(Instant::now()),
        };
        if due.is_none() {
            (state.due, state.turn) = (None, None);
        }
        due
    });
    let Some(due) = due else { return Ok(None) };
    let wait = due.saturating_duration_since(Instant::now());
    if !wait.is_zero() {
        return Ok(Some(wait));
    }
    let namespace = metadata.namespace.as_deref().unwrap_or_default();
    let name = metadata.name.as_deref().unwrap_or_default();
    let written = write(context, namespace, name, &uid, &next).await;
    if let Err(failure) = &written {
        // Where the status cannot be written, an event still can.
        let problem =
            failure.problem(1).filter(|_| matches!(failure.class, Class::Forbidden | Class::Invalid));
        if let Some(event) = problem.map(|problem| transitions::warning(&problem)) {
            context.events.record(event, &reference(metadata));
        }
    }
    if let Some(version) = written? {
        let about = reference(metadata);
        for event in transitions::transitions(Some(namespace), before, &next) {
            context.events.record(event, &about);
        }
        context.states.with(&uid, |state| {
            (state.due, state.turn) = (None, None);
            state.written = Some((version, next));
        });
    }
    Ok(None)
}

/// Writes a status; the resource version of the write, or none where the pipeline is gone.
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
        Err(kube::Error::Api(response)) if response.code == 404 => Ok(None),
        Err(error) => {
            let failure = Failure::of_call(&format!("the status of MLPipeline {name}"), &error);
            match failure.class {
                Class::Ending => Ok(None),
                _ => Err(failure),
            }
        }
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
