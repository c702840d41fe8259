//! Runs: Jobs are created once by their name, never changed, and deleted when the plan says so.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::json;
use tokio::time::Instant;

use super::children::{applied_child, remember};
use super::preconditions::only_this;
use crate::context::Context;
use crate::failure::Failure;
use crate::observe::{View, controller, is_leftover, is_own};
use mlpipeline_core::labels::{MANAGER, annotation};
use mlpipeline_core::pipeline::ValidatedPipeline;
use mlpipeline_core::plan::PendingReport;

/// Labels or annotations.
type Marks = BTreeMap<String, String>;

/// Creates a Job. Where one of that name exists and is ours, a previous operator instance created it; our watch has not delivered
/// it yet.
pub(super) async fn create(
    context: &Context,
    pipeline: &ValidatedPipeline,
    job: &Job,
) -> Result<(), Failure> {
    let name = job.metadata.name.as_deref().unwrap_or_default();
    let object = format!("Job {name}");
    let api: Api<Job> = Api::namespaced(context.client.clone(), &pipeline.namespace);
    let parameters = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
    match api.create(&parameters, job).await {
        Ok(created) => {
            tracing::info!(job = name, "created");
            context.cache.insert_job(created);
            Ok(())
        }
        Err(kube::Error::Api(status)) if status.is_already_exists() => {
            let existing = api.get(name).await.map_err(|error| Failure::of_call(&object, &error))?;
            if is_own(pipeline, &existing.metadata) {
                let existing = restore_marks(&api, job, existing).await?;
                context.cache.insert_job(existing);
                Ok(())
            } else if is_leftover(pipeline, &existing.metadata) {
                Err(Failure::leftover(&object))
            } else {
                Err(Failure::name_taken(&object))
            }
        }
        Err(error) => Err(Failure::of_call(&object, &error)),
    }
}

/// Restores the labels and annotations of a Job of ours by which it is found and read, and its owner, where somebody removed or changed
/// them, or a backup was restored without. Only these: what the Job does is never changed.
async fn restore_marks(api: &Api<Job>, job: &Job, existing: Job) -> Result<Job, Failure> {
    let (mut wanted, found) = (job.metadata.clone(), &existing.metadata);
    // The Job that exists may have been started with others.
    for how in [annotation::SETTINGS, annotation::WORKER_IMAGE] {
        wanted.annotations.get_or_insert_default().remove(how);
    }
    let holds = |wanted: &Option<Marks>, found: &Option<Marks>| {
        wanted
            .iter()
            .flatten()
            .all(|(key, value)| found.as_ref().and_then(|marks| marks.get(key)) == Some(value))
    };
    let has_owner = controller(found).is_some();
    if has_owner && holds(&wanted.labels, &found.labels) && holds(&wanted.annotations, &found.annotations) {
        return Ok(existing);
    }
    let name = wanted.name.as_deref().unwrap_or_default();
    let mut marks = json!({"metadata": {
        "uid": found.uid, "labels": wanted.labels, "annotations": wanted.annotations,
    }});
    if !has_owner {
        marks["metadata"]["ownerReferences"] = json!(wanted.owner_references);
    }
    let parameters = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
    let marked = api.patch(name, &parameters, &Patch::Merge(&marks)).await;
    let marked = marked.map_err(|error| Failure::of_call(&format!("Job {name}"), &error))?;
    tracing::info!(job = name, "labels, annotations and owner restored");
    Ok(marked)
}

/// The run of a name, where it is there and not on its way out.
fn staying<'a>(view: &'a View, name: &str) -> Option<&'a Job> {
    let run = view.runs.iter().find(|job| job.metadata.name.as_deref() == Some(name))?;
    run.metadata.deletion_timestamp.is_none().then_some(&**run)
}

/// Persists a report as an annotation of its run, a Job of ours or of a CronJob of ours: once, since the next reconcile finds it
/// there.
pub(super) async fn persist_report(
    context: &Context,
    pipeline: &ValidatedPipeline,
    view: &View,
    pending_report: &PendingReport,
) -> Result<(), Failure> {
    let name = pending_report.run.as_str();
    let Some(job) = staying(view, name) else { return Ok(()) };
    let api: Api<Job> = Api::namespaced(context.client.clone(), &pipeline.namespace);
    let mark = json!({"metadata": {
        "uid": job.metadata.uid, "annotations": { (annotation::REPORT): pending_report.text },
    }});
    let parameters = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
    match api.patch(name, &parameters, &Patch::Merge(&mark)).await {
        Ok(marked) => {
            tracing::info!(job = name, "report persisted");
            context.cache.insert_job(marked);
            Ok(())
        }
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(error) => Err(Failure::of_call(&format!("Job {name}"), &error)),
    }
}

/// The runs that the cluster would delete some time after their end, though they are what shows that a step is done: it would run again, and again.
pub(super) fn expiring(view: &View) -> impl Iterator<Item = &Job> {
    let stays = view.runs.iter().filter(|job| job.metadata.deletion_timestamp.is_none());
    stays.map(|job| &**job).filter(|job| lifetime(job).is_some())
}

/// Lets a run stay until the plan no longer wants it; when to look again where something else keeps saying otherwise. Nothing here ever sets a
/// lifetime.
pub(super) async fn keep(
    context: &Context,
    pipeline: &ValidatedPipeline,
    job: &Job,
) -> Result<Option<Duration>, Failure> {
    let name = job.metadata.name.as_deref().unwrap_or_default();
    let uid = job.metadata.uid.as_deref().unwrap_or_default();
    let now = Instant::now();
    if let Some(wait) = applied_child(context, pipeline, uid).repair_wait(now) {
        return Ok(Some(wait));
    }
    remember(context, pipeline, uid, |run| run.count_repair(now, Vec::new()));
    let object = format!("Job {name}");
    let api: Api<Job> = Api::namespaced(context.client.clone(), &pipeline.namespace);
    let kept = json!({"metadata": { "uid": job.metadata.uid }, "spec": { "ttlSecondsAfterFinished": null }});
    let parameters = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
    match api.patch(name, &parameters, &Patch::Merge(&kept)).await {
        Ok(patched) => {
            let lifetime = lifetime(&patched);
            context.cache.insert_job(patched);
            match lifetime {
                // A policy that acts on updates too has the last word.
                Some(_) => Err(Failure::expires(&object)),
                None => {
                    tracing::info!(job = name, "ttlSecondsAfterFinished removed: something else had set it");
                    Ok(None)
                }
            }
        }
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(None),
        Err(error) => Err(Failure::of_call(&object, &error)),
    }
}

/// A run of which something else keeps setting a lifetime, as a failure to report, and when it counts as settled.
pub(super) fn contested(
    context: &Context,
    pipeline: &ValidatedPipeline,
    view: &View,
) -> Option<(Failure, Duration)> {
    view.runs.iter().find_map(|job| {
        let uid = job.metadata.uid.as_deref()?;
        let contested = applied_child(context, pipeline, uid).contested(Instant::now())?;
        let object = format!("Job {}", job.metadata.name.as_deref().unwrap_or_default());
        Some((Failure::expires(&object), contested.settles_in))
    })
}

/// How many seconds after its end the cluster deletes a Job.
fn lifetime(job: &Job) -> Option<i32> {
    job.spec.as_ref()?.ttl_seconds_after_finished
}

/// Deletes a Job that the plan no longer wants, with its pods.
pub(super) async fn delete(
    context: &Context,
    pipeline: &ValidatedPipeline,
    view: &View,
    name: &str,
) -> Result<(), Failure> {
    let Some(job) = staying(view, name) else { return Ok(()) };
    let api: Api<Job> = Api::namespaced(context.client.clone(), &pipeline.namespace);
    match api.delete(name, &only_this(job.metadata.uid.clone())).await {
        Ok(_) => tracing::info!(job = name, "deleted: beyond the history limit, or no longer wanted"),
        // Deleted already, or another object has the name.
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => {}
        Err(error) => return Err(Failure::of_call(&format!("Job {name}"), &error)),
    }
    context.cache.jobs.remove(&job.metadata);
    Ok(())
}
