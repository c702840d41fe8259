//! What claims say of the volumes that they have.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;

use crate::observed::PodIssue;

/// How a claim stands: Pending, Bound or Lost.
pub(super) fn phase(claim: &PersistentVolumeClaim) -> Option<&str> {
    claim.status.as_ref()?.phase.as_deref()
}

/// The PersistentVolume that a claim has, or is to have.
pub(super) fn volume_of(claim: &PersistentVolumeClaim) -> Option<&str> {
    claim.spec.as_ref()?.volume_name.as_deref().filter(|name| !name.is_empty())
}

/// A claim that had a volume, with all that was on it, and has lost it. Kubernetes never gives it another one.
pub(super) fn lost(claim: &PersistentVolumeClaim, whose: &str) -> Option<PodIssue> {
    if phase(claim) != Some("Lost") {
        return None;
    }
    let name = claim.metadata.name.as_deref().unwrap_or_default();
    let volume = volume_of(claim).unwrap_or("that its spec.volumeName names");
    let message = format!(
        "{whose} volume is lost: claim {name} had PersistentVolume {volume}, which is not there or is another claim's now; restore that \
         PersistentVolume, with this claim in its claimRef. Who deletes the claim gives up the data, and a new one begins empty"
    );
    Some(PodIssue { reason: "VolumeLost".to_owned(), message })
}
