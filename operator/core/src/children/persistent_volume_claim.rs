//! The claim of the volume that a pipeline's pods share.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    PersistentVolumeClaim, PersistentVolumeClaimSpec, VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use mlpipeline_crds::{AccessMode, VolumeStorage};

use super::metadata;
use crate::names;
use crate::pipeline::ValidatedPipeline;

/// How much a pipeline's volume holds when the spec does not say.
const DEFAULT_SIZE: &str = "1Gi";

/// The pipeline's own claim; `None` when nothing needs one, or when the spec names a claim that is there already.
pub(super) fn persistent_volume_claim(pipeline: &ValidatedPipeline) -> Option<PersistentVolumeClaim> {
    if !is_needed(pipeline) || pipeline.volume.claim_name.is_some() {
        return None;
    }
    let volume = &pipeline.volume;
    let mut metadata = metadata::of_pipeline(pipeline, names::claim(&pipeline.name));
    if volume.retain.unwrap_or_default() {
        // Without an owner, the garbage collector leaves it when the pipeline goes.
        metadata.owner_references = None;
    }
    let size = volume.size.clone().unwrap_or_else(|| Quantity(DEFAULT_SIZE.to_owned()));
    Some(PersistentVolumeClaim {
        metadata,
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(access_modes(volume)),
            storage_class_name: volume.storage_class_name.clone(),
            resources: Some(VolumeResourceRequirements {
                requests: Some(BTreeMap::from([("storage".to_owned(), size)])),
                ..VolumeResourceRequirements::default()
            }),
            ..PersistentVolumeClaimSpec::default()
        }),
        status: None,
    })
}

/// The name of the claim that pods mount, where the pipeline needs one.
pub(super) fn name(pipeline: &ValidatedPipeline) -> Option<String> {
    is_needed(pipeline)
        .then(|| pipeline.volume.claim_name.clone().unwrap_or_else(|| names::claim(&pipeline.name)))
}

/// Whether all pods that mount the volume must be on one node.
pub(super) fn binds_to_one_node(pipeline: &ValidatedPipeline) -> bool {
    // Of somebody else's claim the modes are not known, and the scheduler has to find out.
    let volume = &pipeline.volume;
    volume.claim_name.is_none() && access_modes(volume) == ["ReadWriteOnce"]
}

/// A pipeline of nothing but containers that read nothing of each other needs no volume, unless its spec asks for one.
fn is_needed(pipeline: &ValidatedPipeline) -> bool {
    pipeline.volume != VolumeStorage::default()
        || pipeline.steps.iter().any(|step| step.action.descriptor().needs_storage())
}

fn access_modes(volume: &VolumeStorage) -> Vec<String> {
    let name = |mode: &AccessMode| match mode {
        AccessMode::ReadWriteOnce => "ReadWriteOnce",
        AccessMode::ReadWriteOncePod => "ReadWriteOncePod",
        AccessMode::ReadWriteMany => "ReadWriteMany",
        AccessMode::ReadOnlyMany => "ReadOnlyMany",
    };
    match &volume.access_modes {
        Some(modes) if !modes.is_empty() => modes.iter().map(|mode| name(mode).to_owned()).collect(),
        _ => vec!["ReadWriteOnce".to_owned()],
    }
}
