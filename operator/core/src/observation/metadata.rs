//! What the metadata of an object says: whose it is, and what it was made of.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::snapshot::Snapshot;
use crate::execution_settings::ExecutionSettings;
use crate::fingerprint::Fingerprint;
use crate::labels::{annotation, label, label_of};

/// The step that an object says it belongs to, as a pod of whichever track.
pub(super) fn step_of(metadata: &ObjectMeta) -> Option<String> {
    let step = label_of(metadata, label::STEP).or_else(|| label_of(metadata, label::TRACK_OF));
    step.map(str::to_owned)
}

/// The fingerprint of the step when an object was made.
pub(super) fn fingerprint_of(annotations: &BTreeMap<String, String>) -> Option<Fingerprint> {
    let text =
        annotations.get(annotation::FINGERPRINT).or_else(|| annotations.get(annotation::FINGERPRINT_BEFORE));
    serde_json::from_str(text?).ok()
}

/// What a run was executed with.
pub(super) fn settings_of(annotations: &BTreeMap<String, String>) -> Option<ExecutionSettings> {
    serde_json::from_str(annotations.get(annotation::SETTINGS)?).ok()
}

/// The pods that an object controls.
pub(super) fn pods_of<'a>(snapshot: &'a Snapshot, owner: &'a ObjectMeta) -> impl Iterator<Item = &'a Pod> {
    snapshot.pods.iter().map(Arc::as_ref).filter(|pod| is_owned_by(&pod.metadata, owner))
}

pub(super) fn is_owned_by(child: &ObjectMeta, owner: &ObjectMeta) -> bool {
    let uid = owner.uid.as_deref();
    uid.is_some()
        && child
            .owner_references
            .iter()
            .flatten()
            .any(|reference| reference.controller == Some(true) && Some(reference.uid.as_str()) == uid)
}

/// Whether a Job controls the pod.
pub(super) fn is_of_job(pod: &Pod) -> bool {
    let owners = pod.metadata.owner_references.iter().flatten();
    owners.into_iter().any(|owner| owner.controller == Some(true) && owner.kind == "Job")
}
