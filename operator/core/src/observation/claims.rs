//! What claims say of the volumes that they have.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, PersistentVolumeClaimCondition, Pod};

use super::container_status::{containers, running_since};
use super::snapshot::Snapshot;
use crate::observed::{Overdue, PodIssue};
use crate::quantity::is_less;

/// How long a volume may take to grow where nothing says that it failed.
const GROWTH_GRACE: SignedDuration = SignedDuration::from_mins(5);
/// The warning of a volume that does not grow.
const RESIZE_FAILED: &str = "VolumeResizeFailed";
/// The condition of a volume that has grown, and whose file system has not.
const FILE_SYSTEM_PENDING: &str = "FileSystemResizePending";

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

/// A claim whose volume is smaller than what it asks for: Kubernetes has taken the edit, and what should grow the volume has not.
pub(super) fn not_grown(snapshot: &Snapshot) -> Option<Overdue> {
    snapshot.claims.iter().filter_map(|claim| smaller(claim, snapshot)).min_by_key(|overdue| overdue.from)
}

fn smaller(claim: &PersistentVolumeClaim, snapshot: &Snapshot) -> Option<Overdue> {
    let wanted = &claim.spec.as_ref()?.resources.as_ref()?.requests.as_ref()?.get("storage")?.0;
    let found = &claim.status.as_ref()?.capacity.as_ref()?.get("storage")?.0;
    if phase(claim) != Some("Bound") || !is_less(found, wanted) {
        return None;
    }
    let warning = snapshot.warning_events.get(claim.metadata.uid.as_deref()?);
    let warning = warning.filter(|warning| warning.pod_issue.reason == RESIZE_FAILED);
    let (from, why) = match (warning, newest_condition(claim)) {
        // Without a pod from before it, the next one has it grow.
        (_, Some(condition)) if condition.type_ == FILE_SYSTEM_PENDING => {
            let since = condition.last_transition_time.as_ref()?.0;
            snapshot.pods.iter().find(|pod| runs_since(pod, since))?;
            (due(condition)?, "the file system on it grows when its pods begin again".to_owned())
        }
        (Some(warning), _) => {
            (warning.time.unwrap_or(Timestamp::UNIX_EPOCH), warning.pod_issue.message.clone())
        }
        (None, condition) => {
            let condition = condition?;
            let words = condition.message.as_deref().filter(|words| !words.is_empty());
            (due(condition)?, words.unwrap_or("nothing says why").to_owned())
        }
    };
    let name = claim.metadata.name.as_deref().unwrap_or_default();
    let message = format!(
        "the volume of PersistentVolumeClaim {name} has {found} and was to grow to {wanted}: {why}; the pipeline continues with the volume as \
         it is"
    );
    Some(Overdue { from, pod_issue: PodIssue { reason: "VolumeNotGrown".to_owned(), message } })
}

/// Whether a pod runs that began before a time.
fn runs_since(pod: &Pod, time: Timestamp) -> bool {
    containers(pod).filter_map(running_since).any(|began| began <= time)
}

/// What was last said of how a volume grows.
fn newest_condition(claim: &PersistentVolumeClaim) -> Option<&PersistentVolumeClaimCondition> {
    let known = [FILE_SYSTEM_PENDING, "Resizing", "ControllerResizeError", "NodeResizeError"];
    let all = claim.status.as_ref()?.conditions.iter().flatten();
    let holds = all.filter(|now| now.status == "True" && known.contains(&now.type_.as_str()));
    holds.max_by_key(|condition| condition.last_transition_time.as_ref().map(|time| time.0))
}

fn due(condition: &PersistentVolumeClaimCondition) -> Option<Timestamp> {
    condition.last_transition_time.as_ref()?.0.saturating_add(GROWTH_GRACE).ok()
}
