//! Runs: created once by their name, never changed, and deleted when the plan says so.

use k8s_openapi::api::batch::v1::Job;
use kube::api::{Api, DeleteParams, PostParams, Preconditions};

use crate::core::build::MANAGER;
use crate::core::pipeline::ValidatedPipeline;
use crate::shell::context::Context;
use crate::shell::observe::{View, is_controlled_by, is_leftover};
use crate::shell::problem::Failure;

/// Creates a Job. One of that name that is there already is looked at: ours was created by an earlier self whose word the
/// watch has not brought yet.
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
            if is_controlled_by(&existing.metadata, &pipeline.uid) {
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

/// Deletes a Job that the plan no longer wants, with its pods.
pub(super) async fn prune(
    context: &Context,
    pipeline: &ValidatedPipeline,
    view: &View,
    name: &str,
) -> Result<(), Failure> {
    let Some(job) = view.jobs.iter().find(|job| job.metadata.name.as_deref() == Some(name)) else {
        return Ok(());
    };
    if job.metadata.deletion_timestamp.is_some() {
        return Ok(());
    }
    let api: Api<Job> = Api::namespaced(context.client.clone(), &pipeline.namespace);
    match api.delete(name, &only_this(job.metadata.uid.clone())).await {
        Ok(_) => tracing::info!(job = name, "deleted: beyond the history, or no longer wanted"),
        // Gone already, or another object by now.
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => {}
        Err(error) => return Err(Failure::of_call(&format!("Job {name}"), &error)),
    }
    context.cache.jobs.remove(&job.metadata);
    Ok(())
}

/// Deletes this very object, and lets the garbage collector remove what it owns.
pub(super) fn only_this(uid: Option<String>) -> DeleteParams {
    DeleteParams::background().preconditions(Preconditions { uid, resource_version: None })
}
