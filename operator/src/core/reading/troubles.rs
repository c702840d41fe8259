//! What keeps the pods of a pipeline from working, by step: what pods say themselves, and what the cluster warned of where they
//! cannot say it.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{Snapshot, pods, step_of};
use crate::core::observed::{ObservedClaim, Trouble};

/// Every trouble with the step that it holds up, the cause before what follows from it.
pub(super) fn troubles(snapshot: &Snapshot, claim: Option<&ObservedClaim>) -> Vec<(String, Trouble)> {
    let of_claim = claim.filter(|claim| !claim.bound).and_then(|claim| claim.message.as_ref());
    let of_claim = of_claim.map(|message| Trouble {
        reason: "VolumeNotBound".to_owned(),
        message: format!("the pipeline's volume is not there yet: {message}"),
    });
    let waiting = snapshot.pods.iter().filter(|pod| pods::waits(pod));
    let unbound = waiting.filter_map(|pod| Some((step_of(&pod.metadata)?, of_claim.clone()?)));
    let of_pods = snapshot.pods.iter().filter_map(|pod| {
        Some((step_of(&pod.metadata)?, pods::trouble(pod).or_else(|| unmounted(snapshot, pod))?))
    });
    let of_jobs = snapshot.jobs.iter().filter_map(|job| {
        let status = job.status.as_ref();
        let is_idle = status.is_none_or(|status| {
            status.active.unwrap_or_default() == 0 && status.conditions.as_ref().is_none_or(Vec::is_empty)
        });
        is_idle.then(|| missing_pods(snapshot, &job.metadata)).flatten()
    });
    let of_deployments = snapshot.deployments.iter().filter_map(|deployment| replica_failure(deployment));
    let sets = snapshot
        .stateful_sets
        .iter()
        .filter(|set| {
            let wanted = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
            set.status.as_ref().is_none_or(|status| status.replicas < wanted)
        })
        .map(|set| &set.metadata);
    let daemons = snapshot
        .daemon_sets
        .iter()
        .filter(|set| {
            let status = set.status.as_ref();
            status.is_none_or(|status| status.current_number_scheduled < status.desired_number_scheduled)
        })
        .map(|set| &set.metadata);
    let of_sets = sets.chain(daemons).filter_map(|metadata| missing_pods(snapshot, metadata));
    unbound.chain(of_pods).chain(of_jobs).chain(of_deployments).chain(of_sets).collect()
}

/// The claim, and why it is not bound where something says so.
pub(super) fn read_claim(claim: &PersistentVolumeClaim, snapshot: &Snapshot) -> ObservedClaim {
    let phase = claim.status.as_ref().and_then(|status| status.phase.as_deref());
    let bound = phase == Some("Bound");
    let name = claim.metadata.name.as_deref().unwrap_or_default();
    let class = claim.spec.as_ref().and_then(|spec| spec.storage_class_name.as_deref());
    let message = match (bound, notice(snapshot, &claim.metadata), class) {
        (true, ..) => None,
        (false, Some(notice), _) => {
            Some(format!("claim {name} is not bound ({}): {}", notice.reason, notice.message))
        }
        (false, None, None | Some("")) => Some(format!(
            "claim {name} is not bound: it names no storage class and the cluster has no default one, so only a volume that \
             somebody makes by hand can fit; set spec.storage.volume.storageClassName"
        )),
        // The class may wait for the first pod, or its provisioner be at work.
        (false, None, Some(_)) => None,
    };
    ObservedClaim { bound, ours: true, message }
}

/// The last warning about an object.
fn notice<'a>(snapshot: &'a Snapshot, metadata: &ObjectMeta) -> Option<&'a Trouble> {
    snapshot.notices.get(metadata.uid.as_deref()?)
}

/// A pod that waits for a volume says only that its container is being created.
fn unmounted(snapshot: &Snapshot, pod: &Pod) -> Option<Trouble> {
    let notice = notice(snapshot, &pod.metadata).filter(|_| pods::waits(pod))?;
    Some(Trouble {
        reason: notice.reason.clone(),
        message: format!("a volume of the pod cannot be mounted: {}", notice.message),
    })
}

/// A child whose pods the API server refuses, by the word of its controller.
fn missing_pods(snapshot: &Snapshot, metadata: &ObjectMeta) -> Option<(String, Trouble)> {
    let notice = notice(snapshot, metadata)?;
    Some((step_of(metadata)?, refused_pods(&notice.message)))
}

fn replica_failure(deployment: &Deployment) -> Option<(String, Trouble)> {
    let conditions = deployment.status.as_ref()?.conditions.iter().flatten();
    let failure = conditions.into_iter().find(|now| now.type_ == "ReplicaFailure" && now.status == "True")?;
    Some((step_of(&deployment.metadata)?, refused_pods(failure.message.as_deref().unwrap_or_default())))
}

fn refused_pods(message: &str) -> Trouble {
    let reason = if message.contains("exceeded quota") { "QuotaExceeded" } else { "PodsRefused" };
    Trouble { reason: reason.to_owned(), message: format!("the API server refuses its pods: {message}") }
}
