//! The claim that a spec names: how nodes may mount it decides where pods can be. It is somebody else's, without the label that the
//! watches ask for, so it is read when its pipeline is reconciled.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::api::Api;
use mlpipeline_core::pipeline::ValidatedPipeline;
use mlpipeline_core::validate::access_modes;
use mlpipeline_crds::AccessMode;

use super::context::Context;
use super::failure::Failure;

/// The pipeline with the access modes of the claim that it names. One that is not there yet is waited for by the pods.
///
/// # Errors
/// When the API server does not respond, and when the pipeline's steps cannot work on such a claim: then nothing is started.
pub(super) async fn read_modes(
    context: &Context,
    pipeline: ValidatedPipeline,
) -> Result<ValidatedPipeline, Failure> {
    let Some(name) = pipeline.storage.existing_claim() else { return Ok(pipeline) };
    let object = format!("PersistentVolumeClaim {name}");
    let api: Api<PersistentVolumeClaim> = Api::namespaced(context.client.clone(), &pipeline.namespace);
    let found = api.get_opt(name).await.map_err(|error| Failure::of_call(&object, &error))?;
    let modes = found.and_then(|claim| claim.spec?.access_modes).unwrap_or_default();
    let modes: Vec<AccessMode> = modes.iter().filter_map(|mode| AccessMode::parse(mode)).collect();
    if let Some(problem) = access_modes::problem(&modes, &pipeline.steps) {
        return Err(Failure::unfit_claim(&object, &problem));
    }
    let storage = pipeline.storage.clone().with_claim_modes(modes);
    Ok(ValidatedPipeline { storage, ..pipeline })
}
