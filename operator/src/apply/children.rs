//! Applied children: written where they differ from what they should be, and deleted where no step wants them.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, Patch, PatchParams};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::desired::Desired;
use super::drift::{drift, path_of};
use super::kept_claim;
use super::preconditions::{only_this, only_this_and_not_its_pods};
use super::stuck_set::{adopting, stuck_in};
use crate::cache::Found;
use crate::cache::index::PipelineKey;
use crate::context::Context;
use crate::failure::{Class, Failure};
use crate::observe::{View, controller, is_leftover, is_own, object_name, owns_claim};
use crate::reconcile_state::{AppliedChild, Contested};
use mlpipeline_core::child_kind::ChildKind;
use mlpipeline_core::labels::{MANAGER, annotation};
use mlpipeline_core::names;
use mlpipeline_core::pipeline::ValidatedPipeline;

/// The field manager that owns a Deployment's replicas from the moment we stop applying them until the autoscaler sets them: a
/// field without an owner would fall back to 1.
const HANDOVER: &str = "mlpipeline-operator-handover";

/// Applies one child where needed; how long to wait where a repair has to.
pub(super) async fn apply(
    context: &Context,
    pipeline: &ValidatedPipeline,
    desired: &Desired,
    view: &View,
) -> Result<Option<Duration>, Failure> {
    let api = api(context, pipeline, desired.kind);
    let object = object_name(desired.kind, &desired.name);
    if let Some(found) = known(desired, view) {
        check_owner(pipeline, desired, found.metadata())?;
        let repair = apply_drift(context, pipeline, desired, found, &api).await?;
        let stuck = replace_stuck(context, pipeline, found, &api).await?;
        return Ok([repair, stuck].into_iter().flatten().min());
    }
    // The watch delivers only what carries our label, so a get decides whether the name is free.
    let existing = api.get_opt(&desired.name).await.map_err(|error| Failure::of_call(&object, &error))?;
    match existing {
        Some(existing) => {
            check_owner(pipeline, desired, &existing.metadata)?;
            let actual = serde_json::to_value(&existing).unwrap_or_default();
            let desired = &desired.with_fixed_fields(&actual);
            let uid = existing.metadata.uid.unwrap_or_default();
            if releases_owner(desired, &actual) {
                overwrite(desired, &uid, &api).await?;
            }
            write(context, pipeline, desired, &api, Some(&uid)).await?;
        }
        None => {
            let pods = context.cache.pods.of(&key(pipeline));
            write(context, pipeline, &adopting(desired, &pods), &api, None).await?;
        }
    }
    Ok(None)
}

/// The object that has a child's name, as far as it is known.
pub(super) fn known<'a>(desired: &Desired, view: &'a View) -> Option<&'a Found> {
    let is_it =
        |found: &&Found| found.kind == desired.kind && found.metadata().name.as_ref() == Some(&desired.name);
    view.applied.iter().find(is_it)
}

/// What somebody keeps changing of a child, as a failure to report, and when it counts as settled.
pub(super) fn contested(
    context: &Context,
    pipeline: &ValidatedPipeline,
    desired: &Desired,
    view: &View,
) -> Option<(Failure, Duration)> {
    let uid = known(desired, view)?.metadata().uid.as_deref()?;
    let Contested { fields, settles_in } = applied_child(context, pipeline, uid).contested(Instant::now())?;
    Some((Failure::contested(&object_name(desired.kind, &desired.name), &fields), settles_in))
}

/// Deletes a child that no step wants any more; whether it is gone, for a finalizer may hold it.
pub(super) async fn delete(
    context: &Context,
    pipeline: &ValidatedPipeline,
    orphan: &Found,
) -> Result<bool, Failure> {
    let name = orphan.metadata().name.clone().unwrap_or_default();
    let object = object_name(orphan.kind, &name);
    let api = api(context, pipeline, orphan.kind);
    let gone = delete_by(context, orphan, &api, &only_this(orphan.metadata().uid.clone())).await?;
    tracing::info!(object, gone, "deleted: no step wants it");
    Ok(gone)
}

/// Deletes a child; whether it is gone.
async fn delete_by(
    context: &Context,
    orphan: &Found,
    api: &Api<DynamicObject>,
    how: &DeleteParams,
) -> Result<bool, Failure> {
    let name = orphan.metadata().name.clone().unwrap_or_default();
    let left = match api.delete(&name, how).await {
        Ok(answer) => answer.left().filter(|left| left.metadata.deletion_timestamp.is_some()),
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => None,
        Err(error) => return Err(Failure::of_call(&object_name(orphan.kind, &name), &error)),
    };
    match &left {
        Some(left) => context.cache.insert(orphan.kind, serde_json::to_value(left).unwrap_or_default()),
        None => context.cache.remove(orphan.kind, orphan.metadata()),
    }
    Ok(left.is_none())
}

/// Replaces a StatefulSet that waits for a pod which only its next template can make ready, and leaves its pods: those that are ready
/// stay so, and the next set adopts them all. When to look again where that is not sure yet.
async fn replace_stuck(
    context: &Context,
    pipeline: &ValidatedPipeline,
    found: &Found,
    api: &Api<DynamicObject>,
) -> Result<Option<Duration>, Failure> {
    if found.kind != ChildKind::StatefulSet {
        return Ok(None);
    }
    let key = key(pipeline);
    // Not as it was when the reconcile began: what was just applied is news to its controller.
    let sets = context.cache.stateful_sets.of(&key);
    let Some(set) = sets.iter().find(|set| set.metadata.uid == found.metadata().uid) else { return Ok(None) };
    let wait = stuck_in(set, &context.cache.pods.of(&key), (context.clock)());
    if wait == Some(Duration::ZERO) && set.metadata.deletion_timestamp.is_none() {
        let name = object_name(found.kind, found.metadata().name.as_deref().unwrap_or_default());
        tracing::info!(object = name, "replaced without its pods: it waits for one of an earlier template");
        delete_by(context, found, api, &only_this_and_not_its_pods(found.metadata().uid.clone())).await?;
        return Ok(None);
    }
    Ok(wait)
}

/// Under which a pipeline's objects are in the cache.
fn key(pipeline: &ValidatedPipeline) -> PipelineKey {
    PipelineKey { namespace: pipeline.namespace.clone(), label: names::label(&pipeline.name) }
}

fn api(context: &Context, pipeline: &ValidatedPipeline, kind: ChildKind) -> Api<DynamicObject> {
    Api::namespaced_with(context.client.clone(), &pipeline.namespace, &resource(kind))
}

/// How the client addresses a kind.
fn resource(kind: ChildKind) -> ApiResource {
    let (group, version) = kind.api_version().split_once('/').unwrap_or(("", kind.api_version()));
    let gvk = GroupVersionKind::gvk(group, version, kind.kind());
    ApiResource::from_gvk_with_plural(&gvk, kind.plural())
}

/// Fails for what is not ours. A child of ours that lost its owner and its labels is recognised by the hash, which contains this pipeline's
/// uid.
fn check_owner(pipeline: &ValidatedPipeline, desired: &Desired, found: &ObjectMeta) -> Result<(), Failure> {
    let object = object_name(desired.kind, &desired.name);
    let is_claim = desired.kind == ChildKind::PersistentVolumeClaim && owns_claim(pipeline, found);
    let is_unmarked = controller(found).is_none() && applied_hash(found) == Some(&desired.hash);
    if is_own(pipeline, found) || is_unmarked || is_claim {
        Ok(())
    } else if is_leftover(pipeline, found) {
        Err(Failure::leftover(&object))
    } else {
        Err(Failure::name_taken(&object))
    }
}

/// Applies to a child of ours where it differs from what it should be.
async fn apply_drift(
    context: &Context,
    pipeline: &ValidatedPipeline,
    desired: &Desired,
    found: &Found,
    api: &Api<DynamicObject>,
) -> Result<Option<Duration>, Failure> {
    let metadata = found.metadata();
    if metadata.deletion_timestamp.is_some() {
        let object = object_name(desired.kind, &desired.name);
        return Err(match desired.kind {
            ChildKind::PersistentVolumeClaim => Failure::claim_being_deleted(&object),
            _ => Failure::being_deleted(&object),
        });
    }
    let uid = metadata.uid.clone().unwrap_or_default();
    let applied_child = applied_child(context, pipeline, &uid);
    let version = metadata.resource_version.clone();
    if applied_child.hash == desired.hash && version.is_some() && applied_child.good_version == version {
        return Ok(None);
    }
    let actual = found.json();
    let desired = &desired.with_fixed_fields(&actual);
    let is_applied = applied_hash(metadata) == Some(&desired.hash);
    let differs = drift(&desired.value, &actual);
    let is_accepted = applied_child.hash == desired.hash && applied_child.accepted == differs;
    if is_applied && (differs.is_empty() || is_accepted) {
        remember(context, pipeline, &uid, |child| {
            child.want(&desired.hash);
            child.good_version = version;
        });
        return Ok(None);
    }
    if is_applied {
        let now = Instant::now();
        if let Some(wait) = applied_child.repair_wait(now) {
            return Ok(Some(wait));
        }
        tracing::info!(object = object_name(desired.kind, &desired.name), ?differs, "repaired");
        let fields = differs.iter().map(|found| path_of(found)).collect();
        remember(context, pipeline, &uid, |child| child.count_repair(now, fields));
    }
    if must_be_replaced(desired, &actual) {
        if !delete(context, pipeline, found).await? {
            return Err(Failure::being_deleted(&object_name(desired.kind, &desired.name)));
        }
        write(context, pipeline, desired, api, None).await?;
        return Ok(None);
    }
    if releases_owner(desired, &actual) {
        overwrite(desired, &uid, api).await?;
    }
    if leaves_replicas_to_autoscaler(desired, &actual) {
        hand_over_replicas(desired, &uid, api).await?;
    }
    match write(context, pipeline, desired, api, Some(&uid)).await {
        Err(failure)
            if is_applied
                && failure.class == Class::Invalid
                && desired.kind != ChildKind::PersistentVolumeClaim =>
        {
            overwrite(desired, &uid, api).await?;
            write(context, pipeline, desired, api, Some(&uid)).await?;
        }
        Err(failure) => return Err(kept_claim::explained(failure, desired, &actual, &pipeline.namespace)),
        Ok(()) => {}
    }
    Ok(None)
}

/// Replaces lists by ours. An apply only adds what is missing to a list, and may conflict with what somebody else has added: two
/// ports of one name.
async fn overwrite(desired: &Desired, uid: &str, api: &Api<DynamicObject>) -> Result<(), Failure> {
    let patch = Patch::Merge(desired.for_uid(uid));
    let parameters = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
    let patched = api.patch(&desired.name, &parameters, &patch).await;
    let object = object_name(desired.kind, &desired.name);
    patched.map(drop).map_err(|error| Failure::of_call(&object, &error))
}

/// Applies what is desired: to this very object, or to a name that is free. There, a conflict is not forced: it would mean that
/// somebody else has just taken the name.
async fn write(
    context: &Context,
    pipeline: &ValidatedPipeline,
    desired: &Desired,
    api: &Api<DynamicObject>,
    uid: Option<&str>,
) -> Result<(), Failure> {
    let object = object_name(desired.kind, &desired.name);
    let (value, parameters) = match uid {
        Some(uid) => (desired.for_uid(uid), PatchParams::apply(MANAGER).force()),
        None => (desired.value.clone(), PatchParams::apply(MANAGER)),
    };
    let response = api
        .patch(&desired.name, &parameters, &Patch::Apply(&value))
        .await
        .map_err(|error| Failure::of_call(&object, &error))?;
    tracing::info!(object, hash = desired.hash, "applied");
    let stored = serde_json::to_value(&response).unwrap_or_default();
    let differs = drift(&desired.value, &stored);
    if !differs.is_empty() {
        tracing::warn!(object, ?differs, "the API server stores other values; they are left alone");
    }
    let uid = response.metadata.uid.clone().unwrap_or_default();
    remember(context, pipeline, &uid, |child| {
        child.want(&desired.hash);
        child.good_version.clone_from(&response.metadata.resource_version);
        child.accepted = differs;
    });
    context.cache.insert(desired.kind, stored);
    Ok(())
}

/// Whether a change is one that the API server accepts on no Service, from a cluster IP to none or back, or that a StatefulSet does not
/// carry out: it waits for its first pod to become ready before it replaces any, though the new template may be what that needs. With none
/// ready, nothing is lost; the replicas' volumes stay.
fn must_be_replaced(desired: &Desired, actual: &Value) -> bool {
    let is_headless =
        |value: &Value| value.pointer("/spec/clusterIP").and_then(Value::as_str) == Some("None");
    let status = |field: &str| actual.pointer(&format!("/status/{field}")).and_then(Value::as_i64);
    let template = |value: &Value| value.pointer("/spec/template").cloned().unwrap_or_default();
    match desired.kind {
        ChildKind::Service => is_headless(&desired.value) != is_headless(actual),
        ChildKind::StatefulSet => {
            status("replicas").unwrap_or_default() > 0
                && status("readyReplicas").unwrap_or_default() == 0
                && !drift(&template(&desired.value), &template(actual)).is_empty()
        }
        _ => false,
    }
}

/// Whether a claim that is retained still has an owner. Server-side apply removes only what it has applied itself.
fn releases_owner(desired: &Desired, actual: &Value) -> bool {
    let owners =
        |value: &Value| value.pointer("/metadata/ownerReferences").and_then(Value::as_array).map(Vec::len);
    desired.kind == ChildKind::PersistentVolumeClaim
        && owners(&desired.value) == Some(0)
        && owners(actual).unwrap_or_default() > 0
}

/// Whether the autoscaler sets the replicas from now on.
fn leaves_replicas_to_autoscaler(desired: &Desired, actual: &Value) -> bool {
    desired.kind == ChildKind::Deployment
        && desired.value.pointer("/spec/replicas").is_none()
        && actual.pointer("/spec/replicas").is_some()
}

/// Keeps the replicas as they are where we owned them so far.
async fn hand_over_replicas(desired: &Desired, uid: &str, api: &Api<DynamicObject>) -> Result<(), Failure> {
    let failure = |error: kube::Error| Failure::of_call(&object_name(desired.kind, &desired.name), &error);
    let live = api.get(&desired.name).await.map_err(failure)?;
    let held = live.metadata.managed_fields.iter().flatten().any(|entry| {
        entry.manager.as_deref() == Some(MANAGER)
            && entry.operation.as_deref() == Some("Apply")
            && entry.fields_v1.as_ref().is_some_and(|fields| fields.0.pointer("/f:spec/f:replicas").is_some())
    });
    let Some(replicas) = live.data.pointer("/spec/replicas").filter(|_| held) else { return Ok(()) };
    let kept = json!({
        "apiVersion": desired.kind.api_version(),
        "kind": desired.kind.kind(),
        "metadata": { "name": desired.name, "uid": uid },
        "spec": { "replicas": replicas },
    });
    let parameters = PatchParams::apply(HANDOVER).force();
    api.patch(&desired.name, &parameters, &Patch::Apply(&kept)).await.map_err(failure)?;
    Ok(())
}

fn applied_hash(metadata: &ObjectMeta) -> Option<&String> {
    metadata.annotations.as_ref()?.get(annotation::APPLIED)
}

pub(super) fn applied_child(context: &Context, pipeline: &ValidatedPipeline, uid: &str) -> AppliedChild {
    context.states.with(&pipeline.uid, |state| state.children.get(uid).cloned().unwrap_or_default())
}

pub(super) fn remember(
    context: &Context,
    pipeline: &ValidatedPipeline,
    uid: &str,
    change: impl FnOnce(&mut AppliedChild),
) {
    context.states.with(&pipeline.uid, |state| change(state.children.entry(uid.to_owned()).or_default()));
}
