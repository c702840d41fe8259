//! The claims that a spec names: how nodes may mount them decides where pods can be. They are somebody else's, without the label that the
//! watches ask for, so they are read when their pipeline is reconciled.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::api::Api;
use mlpipeline_core::names;
use mlpipeline_core::pipeline::{ValidStep, ValidatedPipeline};
use mlpipeline_core::validate::access_modes;
use mlpipeline_crds::AccessMode;

use super::cache::index::PipelineKey;
use super::context::Context;
use super::failure::Failure;

/// The pipeline with the access modes of the claims that it names: of its storage, and of the volumes of pods that stay. One that is not there
/// yet is waited for by the pods.
///
/// # Errors
/// When the API server does not respond, and when the pipeline's steps cannot work on such a claim: then nothing is started.
pub(super) async fn read_modes(
    context: &Context,
    pipeline: ValidatedPipeline,
) -> Result<ValidatedPipeline, Failure> {
    let pipeline = read_storage(context, pipeline).await?;
    let stay = || pipeline.steps.iter().filter(|step| step.is_long_running());
    let names: BTreeSet<String> = stay().flat_map(ValidStep::claims).map(str::to_owned).collect();
    let mut claims = BTreeMap::new();
    for name in names {
        let modes = modes_of(context, &pipeline, &name).await?;
        let users: Vec<ValidStep> =
            pipeline.steps.iter().filter(|step| step.claims().any(|claim| claim == name)).cloned().collect();
        if let Some(problem) = access_modes::problem_beside_storage(&modes, &users) {
            return Err(Failure::unfit_claim(&object(&name), &problem, "pod.volumes"));
        }
        claims.insert(name, modes);
    }
    claims.extend(own(context, &pipeline));
    Ok(ValidatedPipeline { claims, ..pipeline })
}

/// The same of its storage alone.
async fn read_storage(context: &Context, pipeline: ValidatedPipeline) -> Result<ValidatedPipeline, Failure> {
    let Some(name) = pipeline.storage.existing_claim() else { return Ok(pipeline) };
    let modes = modes_of(context, &pipeline, name).await?;
    if let Some(problem) = access_modes::problem(&modes, &pipeline.steps) {
        return Err(Failure::unfit_claim(&object(name), &problem, "spec.storage.volume.claimName"));
    }
    let storage = pipeline.storage.clone().with_claim_modes(modes);
    Ok(ValidatedPipeline { storage, ..pipeline })
}

/// The pipeline's own claim with its modes, where it has a volume: it keeps them, whatever the spec asks for since.
fn own(context: &Context, pipeline: &ValidatedPipeline) -> Option<(String, Vec<AccessMode>)> {
    let name = names::claim(&pipeline.name);
    let key = PipelineKey { namespace: pipeline.namespace.clone(), label: names::label(&pipeline.name) };
    let claims = context.cache.persistent_volume_claims.of(&key);
    let claim = claims.iter().find(|claim| claim.metadata.name.as_ref() == Some(&name))?;
    let spec = claim.spec.as_ref().filter(|spec| spec.volume_name.is_some())?;
    Some((name, parsed(spec.access_modes.as_deref().unwrap_or_default())))
}

/// The modes of a claim; none of one that is not there.
async fn modes_of(
    context: &Context,
    pipeline: &ValidatedPipeline,
    name: &str,
) -> Result<Vec<AccessMode>, Failure> {
    let api: Api<PersistentVolumeClaim> = Api::namespaced(context.client.clone(), &pipeline.namespace);
    let found = api.get_opt(name).await.map_err(|error| Failure::of_call(&object(name), &error))?;
    let modes = found.and_then(|claim| claim.spec?.access_modes).unwrap_or_default();
    Ok(parsed(&modes))
}

fn parsed(modes: &[String]) -> Vec<AccessMode> {
    modes.iter().filter_map(|mode| AccessMode::parse(mode)).collect()
}

fn object(name: &str) -> String {
    format!("PersistentVolumeClaim {name}")
}
