//! The claim of the volume that a pipeline's pods share, and those of the volumes that replicas keep for themselves.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    PersistentVolumeClaim, PersistentVolumeClaimSpec, VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use mlpipeline_crds::{DEFAULT_VOLUME_SIZE, ReplicaVolume};

use super::metadata;
use crate::names;
use crate::pipeline::{ValidStep, ValidatedPipeline};
use crate::pod_labels::INSTANCE;
use crate::storage::Storage;

/// The name of the volume that each replica of a StatefulSet keeps for itself.
pub(crate) const REPLICA_VOLUME: &str = "replica";

/// The pipeline's own claim; `None` when nothing needs one, or when the spec names a claim that is there already.
pub(super) fn persistent_volume_claim(pipeline: &ValidatedPipeline) -> Option<PersistentVolumeClaim> {
    let Storage::Volume(volume) = &pipeline.storage;
    if !pipeline.has_volume() || volume.claim_name.is_some() {
        return None;
    }
    let metadata = kept(pipeline, metadata::of_pipeline(pipeline, names::claim(&pipeline.name)));
    let size = volume.size.clone().unwrap_or_else(|| Quantity(DEFAULT_VOLUME_SIZE.to_owned()));
    Some(PersistentVolumeClaim {
        metadata,
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(
                pipeline.storage.access_modes().iter().map(|mode| mode.name().to_owned()).collect(),
            ),
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

/// The claims of a step's replicas, by the names that a StatefulSet gives them, so that it takes these and creates none. A StatefulSet's own
/// template of claims can never be changed; a claim can grow, and be kept or not.
pub(super) fn replica_claims(pipeline: &ValidatedPipeline, step: &ValidStep) -> Vec<PersistentVolumeClaim> {
    let descriptor = step.action.descriptor();
    let Some(volume) = descriptor.replica_volume() else { return Vec::new() };
    let set = names::step_object(&pipeline.name, &step.name);
    let replicas = 0..descriptor.replicas().fewest();
    let name = |replica: i32| format!("{REPLICA_VOLUME}-{set}-{replica}");
    let metadata = |replica| kept(pipeline, metadata::of_step(pipeline, step, name(replica)));
    replicas
        .map(|replica| PersistentVolumeClaim {
            metadata: metadata(replica),
            spec: Some(replica_spec(volume)),
            status: None,
        })
        .collect()
}

/// What a replica asks for.
pub(super) fn replica_spec(volume: &ReplicaVolume) -> PersistentVolumeClaimSpec {
    PersistentVolumeClaimSpec {
        access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
        storage_class_name: volume.storage_class_name.clone(),
        resources: Some(VolumeResourceRequirements {
            requests: Some(BTreeMap::from([("storage".to_owned(), volume.size.clone())])),
            ..VolumeResourceRequirements::default()
        }),
        ..PersistentVolumeClaimSpec::default()
    }
}

/// The metadata of a claim. One that outlives its pipeline has no owner, for whose sake the garbage collector would delete it, nor the label
/// by which GitOps tools know what they may delete.
fn kept(pipeline: &ValidatedPipeline, mut metadata: ObjectMeta) -> ObjectMeta {
    if pipeline.storage.outlives_pipeline() {
        // An empty list, rather than none, is also applied to a claim whose owner something else wrote.
        metadata.owner_references = Some(Vec::new());
        metadata.labels.get_or_insert_default().remove(INSTANCE);
    }
    metadata
}

/// The name of the claim that pods mount, where the pipeline needs one.
pub(super) fn name(pipeline: &ValidatedPipeline) -> Option<String> {
    let Storage::Volume(volume) = &pipeline.storage;
    pipeline.has_volume().then(|| volume.claim_name.clone().unwrap_or_else(|| names::claim(&pipeline.name)))
}
