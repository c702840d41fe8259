//! Children that live on: applied where they differ from what they should be, and deleted where nobody wants them.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::contains::differences;
use super::desired::Desired;
use super::jobs::only_this;
use crate::cache::Found;
use crate::cache::kind::Kind;
use crate::context::Context;
use crate::memory::Child;
use crate::observe::{View, is_controlled_by, is_leftover, object_name, owns_claim};
use crate::problem::{Class, Failure};
use mlpipeline_core::labels::{MANAGER, annotation};
use mlpipeline_core::pipeline::ValidatedPipeline;

/// The field manager that holds a Deployment's replicas from the moment we let go of them until the autoscaler takes them:
/// a field that nobody holds would fall back to 1.
const HANDOVER: &str = "mlpipeline-operator-handover";

/// Makes one child as it should be; answers how long to wait where a repair has to.
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
        return bring_in_line(context, pipeline, desired, found, &api).await;
    }
    // The watch sees only what carries our label, so a look decides whether the name is free.
    let existing = api.get_opt(&desired.name).await.map_err(|error| Failure::of_call(&object, &error))?;
    match existing {
        Some(existing) => {
            check_owner(pipeline, desired, &existing.metadata)?;
            let uid = existing.metadata.uid.unwrap_or_default();
            write(context, pipeline, desired, &api, Some(&uid)).await?;
        }
        None => write(context, pipeline, desired, &api, None).await?,
    }
    Ok(None)
}

/// The object that has a child's name, as far as it is seen.
pub(super) fn known<'a>(desired: &Desired, view: &'a View) -> Option<&'a Found> {
    let is_it =
        |found: &&Found| found.kind == desired.kind && found.metadata().name.as_ref() == Some(&desired.name);
    view.applied.iter().find(is_it)
}

/// Deletes a child that nobody wants any more; answers whether it is gone, for somebody's finalizer may hold it.
pub(super) async fn delete(
    context: &Context,
    pipeline: &ValidatedPipeline,
    orphan: &Found,
) -> Result<bool, Failure> {
    let name = orphan.metadata().name.clone().unwrap_or_default();
    let object = object_name(orphan.kind, &name);
    let api = api(context, pipeline, orphan.kind);
    let left = match api.delete(&name, &only_this(orphan.metadata().uid.clone())).await {
        Ok(answer) => {
            tracing::info!(object, "deleted: no step wants it as it is");
            answer.left().filter(|left| left.metadata.deletion_timestamp.is_some())
        }
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => None,
        Err(error) => return Err(Failure::of_call(&object, &error)),
    };
    match &left {
        Some(left) => context.cache.insert(orphan.kind, serde_json::to_value(left).unwrap_or_default()),
        None => context.cache.remove(orphan.kind, orphan.metadata()),
    }
    Ok(left.is_none())
}

fn api(context: &Context, pipeline: &ValidatedPipeline, kind: Kind) -> Api<DynamicObject> {
    Api::namespaced_with(context.client.clone(), &pipeline.namespace, &kind.resource())
}

/// Refuses to touch what is not ours. A child of ours that lost its owner reference is known by the hash, in which this
/// pipeline's uid is.
fn check_owner(pipeline: &ValidatedPipeline, desired: &Desired, found: &ObjectMeta) -> Result<(), Failure> {
    let object = object_name(desired.kind, &desired.name);
    let lost_its_owner =
        crate::observe::controller(found).is_none() && applied_hash(found) == Some(&desired.hash);
    let is_claim = desired.kind == Kind::Claim && owns_claim(pipeline, found);
    if is_controlled_by(found, &pipeline.uid) || lost_its_owner || is_claim {
        Ok(())
    } else if is_leftover(pipeline, found) {
        Err(Failure::leftover(&object))
    } else {
        Err(Failure::name_taken(&object))
    }
}

/// Applies to a child of ours where it is not as it should be.
async fn bring_in_line(
    context: &Context,
    pipeline: &ValidatedPipeline,
    desired: &Desired,
    found: &Found,
    api: &Api<DynamicObject>,
) -> Result<Option<Duration>, Failure> {
    let metadata = found.metadata();
    if metadata.deletion_timestamp.is_some() {
        return Err(Failure::going(&object_name(desired.kind, &desired.name)));
    }
    let uid = metadata.uid.clone().unwrap_or_default();
    let remembered = remembered(context, pipeline, &uid);
    let version = metadata.resource_version.clone();
    if remembered.hash == desired.hash && version.is_some() && remembered.good_version == version {
        return Ok(None);
    }
    let actual = found.json();
    let is_applied = applied_hash(metadata) == Some(&desired.hash);
    let differs = differences(&desired.value, &actual);
    let is_accepted = remembered.hash == desired.hash && remembered.accepted == differs;
    if is_applied && (differs.is_empty() || is_accepted) {
        remember(context, pipeline, &uid, |child| {
            child.hash.clone_from(&desired.hash);
            child.good_version = version;
        });
        return Ok(None);
    }
    if is_applied {
        let now = Instant::now();
        if let Some(wait) = remembered.repair_wait(now) {
            return Ok(Some(wait));
        }
        tracing::info!(object = object_name(desired.kind, &desired.name), ?differs, "repaired");
        remember(context, pipeline, &uid, |child| child.count_repair(now));
    }
    if must_be_replaced(desired, &actual) {
        if !delete(context, pipeline, found).await? {
            return Err(Failure::going(&object_name(desired.kind, &desired.name)));
        }
        write(context, pipeline, desired, api, None).await?;
        return Ok(None);
    }
    if lets_go_of_replicas(desired, &actual) {
        hand_over_replicas(desired, &uid, api).await?;
    }
    match write(context, pipeline, desired, api, Some(&uid)).await {
        Err(failure) if is_applied && failure.class == Class::Invalid => {
            overwrite(desired, &uid, api).await?;
            write(context, pipeline, desired, api, Some(&uid)).await?;
        }
        written => written?,
    }
    Ok(None)
}

/// Puts our lists in the place of what is there. An apply only adds to a list what is missing, and what somebody else has put
/// there may not go together with it: two ports of one name.
async fn overwrite(desired: &Desired, uid: &str, api: &Api<DynamicObject>) -> Result<(), Failure> {
    let patch = Patch::Merge(desired.for_uid(uid));
    let parameters = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
    let patched = api.patch(&desired.name, &parameters, &patch).await;
    let object = object_name(desired.kind, &desired.name);
    patched.map(drop).map_err(|error| Failure::of_call(&object, &error))
}

/// Sends what is desired: to this very object, or to a name that is free. There, a conflict is not forced: it would mean that
/// somebody else took the name a moment ago.
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
    let answer = api
        .patch(&desired.name, &parameters, &Patch::Apply(&value))
        .await
        .map_err(|error| Failure::of_call(&object, &error))?;
    tracing::info!(object, hash = desired.hash, "applied");
    let answered = serde_json::to_value(&answer).unwrap_or_default();
    let differs = differences(&desired.value, &answered);
    if !differs.is_empty() {
        tracing::warn!(object, ?differs, "the API server keeps something else; it is left alone");
    }
    let uid = answer.metadata.uid.clone().unwrap_or_default();
    remember(context, pipeline, &uid, |child| {
        child.hash.clone_from(&desired.hash);
        child.good_version.clone_from(&answer.metadata.resource_version);
        child.accepted = differs;
    });
    context.cache.insert(desired.kind, answered);
    Ok(())
}

/// Whether a change is one that the API server takes on no Service: from an address to none, or back.
fn must_be_replaced(desired: &Desired, actual: &Value) -> bool {
    let is_headless =
        |value: &Value| value.pointer("/spec/clusterIP").and_then(Value::as_str) == Some("None");
    desired.kind == Kind::Service && is_headless(&desired.value) != is_headless(actual)
}

/// Whether the autoscaler is to have the replicas from now on.
fn lets_go_of_replicas(desired: &Desired, actual: &Value) -> bool {
    desired.kind == Kind::Deployment
        && desired.value.pointer("/spec/replicas").is_none()
        && actual.pointer("/spec/replicas").is_some()
}

/// Keeps the replicas where they are when we held them so far.
async fn hand_over_replicas(desired: &Desired, uid: &str, api: &Api<DynamicObject>) -> Result<(), Failure> {
    let failure = |error: kube::Error| Failure::of_call(&object_name(desired.kind, &desired.name), &error);
    let live = api.get(&desired.name).await.map_err(failure)?;
    let held = live.metadata.managed_fields.iter().flatten().any(|entry| {
        entry.manager.as_deref() == Some(MANAGER)
            && entry.operation.as_deref() == Some("Apply")
            && entry.fields_v1.as_ref().is_some_and(|fields| fields.0.pointer("/f:spec/f:replicas").is_some())
    });
    let Some(replicas) = live.data.pointer("/spec/replicas").filter(|_| held) else { return Ok(()) };
    let resource = desired.kind.resource();
    let held_on = json!({
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": { "name": desired.name, "uid": uid },
        "spec": { "replicas": replicas },
    });
    let parameters = PatchParams::apply(HANDOVER).force();
    api.patch(&desired.name, &parameters, &Patch::Apply(&held_on)).await.map_err(failure)?;
    Ok(())
}

fn applied_hash(metadata: &ObjectMeta) -> Option<&String> {
    metadata.annotations.as_ref()?.get(annotation::APPLIED)
}

fn remembered(context: &Context, pipeline: &ValidatedPipeline, uid: &str) -> Child {
    context.memory.with(&pipeline.uid, |pipeline| pipeline.children.get(uid).cloned().unwrap_or_default())
}

fn remember(context: &Context, pipeline: &ValidatedPipeline, uid: &str, change: impl FnOnce(&mut Child)) {
    context
        .memory
        .with(&pipeline.uid, |pipeline| change(pipeline.children.entry(uid.to_owned()).or_default()));
}
