//! What keeps the pods of a pipeline from working, by step: what pods say themselves, and what the cluster warned of where they
//! cannot say it.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::metadata::{is_owned_by, pods_of, step_of};
use super::snapshot::{Snapshot, WarningEvent};
use super::{claims, jobs, pods, rollout};
use crate::children::REPLICA_VOLUME;
use crate::observed::PodIssue;

/// How often a Job that does not say repeats a failed pod.
const DEFAULT_RETRIES: i32 = 6;

/// The reason of a pod that a quota rejects.
const QUOTA_EXCEEDED: &str = "QuotaExceeded";

/// Every pod issue with the step that it holds up, the cause before what follows from it.
pub(super) fn pod_issues(snapshot: &Snapshot) -> Vec<(String, PodIssue)> {
    let waiting = snapshot.pods.iter().filter(|pod| pods::waits(pod));
    let of_volume = waiting.filter_map(|pod| volume_not_bound(snapshot, pod));
    let of_pods = snapshot.pods.iter().filter_map(|pod| {
        Some((step_of(&pod.metadata)?, pods::pod_issue(pod).or_else(|| not_set_up(snapshot, pod))?))
    });
    let of_jobs = snapshot.jobs.iter().filter_map(|job| podless(snapshot, job));
    let of_attempts = snapshot.jobs.iter().filter_map(|job| failed_attempt(snapshot, job));
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
    let of_schedules = snapshot.cron_jobs.iter().filter_map(|cron_job| jobless(snapshot, cron_job));
    let all = of_volume
        .chain(of_pods)
        .chain(of_jobs)
        .chain(of_attempts)
        .chain(of_deployments)
        .chain(of_sets)
        .chain(of_schedules)
        .chain(rollout::held_back(snapshot));
    // The next step begins while the pod before it is cleaned up; when that is done, its pod says so.
    let is_room_made = snapshot.pods.iter().any(|pod| pods::gives_way(pod));
    all.filter(|(_, pod_issue)| {
        !is_room_made || !matches!(pod_issue.reason.as_str(), pods::UNSCHEDULABLE | QUOTA_EXCEEDED)
    })
    .collect()
}

/// A pod that waits for a claim of the pipeline's which is not bound, where something says why. The volumes of pods are not kept in memory:
/// all pods mount the claim of the pipeline, and a replica that of its own name.
fn volume_not_bound(snapshot: &Snapshot, pod: &Pod) -> Option<(String, PodIssue)> {
    let of_replica = format!("{REPLICA_VOLUME}-{}", pod.metadata.name.as_deref().unwrap_or_default());
    let is_mounted = |claim: &PersistentVolumeClaim| {
        step_of(&claim.metadata).is_none() || claim.metadata.name.as_ref() == Some(&of_replica)
    };
    let found = snapshot.claims.iter().filter(|claim| is_mounted(claim)).find_map(|claim| {
        let whose = if step_of(&claim.metadata).is_some() { "the replica's" } else { "the pipeline's" };
        claims::lost(claim, whose).or_else(|| {
            let message = format!("{whose} volume is not there yet: {}", unbound(claim, snapshot)?);
            Some(PodIssue { reason: "VolumeNotBound".to_owned(), message })
        })
    });
    Some((step_of(&pod.metadata)?, found?))
}

/// Why the claim is not bound and what to do, where something says so. Kubernetes lets a claim be given a class once, where it has none; all
/// else is changed by making the claim again, which holds nothing before it is bound.
fn unbound(claim: &PersistentVolumeClaim, snapshot: &Snapshot) -> Option<String> {
    if claims::phase(claim) == Some("Bound") {
        return None;
    }
    let name = claim.metadata.name.as_deref().unwrap_or_default();
    let class = claim.spec.as_ref().and_then(|spec| spec.storage_class_name.as_deref());
    let place = match step_of(&claim.metadata) {
        Some(step) => format!("replicaVolume of step {step}"),
        None => "spec.storage.volume".to_owned(),
    };
    if let Some(volume) = claims::volume_of(claim) {
        // Between the two writes by which Kubernetes binds a claim, nothing is wrong.
        let WarningEvent { pod_issue, .. } = warning_event(snapshot, &claim.metadata)?;
        let (reason, words) = (&pod_issue.reason, &pod_issue.message);
        return Some(format!(
            "claim {name} is of PersistentVolume {volume} and not bound to it ({reason}): {words}; see to that volume, which may hold data: who \
             deletes the claim gives them up"
        ));
    }
    let again = format!("delete the claim, which holds nothing yet: kubectl delete pvc {name}");
    match (warning_event(snapshot, &claim.metadata), class) {
        (Some(WarningEvent { pod_issue, .. }), _) => Some(format!(
            "claim {name} is not bound ({}): {}; where {place} is wrong, correct it and {again}",
            pod_issue.reason, pod_issue.message
        )),
        (None, Some("")) => Some(format!(
            "claim {name} is not bound: its storage class is empty, so only a volume that somebody makes by hand can fit, with its size and access \
             modes; make one, or correct storageClassName of {place} and {again}"
        )),
        (None, None) => Some(format!(
            "claim {name} is not bound: it names no storage class and the cluster has no default one, so only a volume that \
             somebody makes by hand can fit; set storageClassName of {place}"
        )),
        // The class may wait for the first pod, or its provisioner be at work.
        (None, Some(_)) => None,
    }
}

/// The last warning about an object.
fn warning_event<'a>(snapshot: &'a Snapshot, metadata: &ObjectMeta) -> Option<&'a WarningEvent> {
    snapshot.warning_events.get(metadata.uid.as_deref()?)
}

/// A pod that waits for a volume or a network says only that its container is being created.
fn not_set_up(snapshot: &Snapshot, pod: &Pod) -> Option<PodIssue> {
    let WarningEvent { pod_issue, .. } =
        warning_event(snapshot, &pod.metadata).filter(|_| pods::waits(pod))?;
    let what = match pod_issue.reason.as_str() {
        "FailedCreatePodSandBox" => "the pod's network or sandbox cannot be set up",
        _ => "a volume of the pod cannot be mounted",
    };
    Some(PodIssue { reason: pod_issue.reason.clone(), message: format!("{what}: {}", pod_issue.message) })
}

/// A Job without a pod at work, for whose next one the API server's rejection is the last word. A pod that was made since shows
/// that it is over; times of both are of whole seconds.
fn podless(snapshot: &Snapshot, job: &Job) -> Option<(String, PodIssue)> {
    let status = job.status.as_ref();
    let is_idle = status.is_none_or(|status| {
        status.active.unwrap_or_default() == 0 && status.conditions.as_ref().is_none_or(Vec::is_empty)
    });
    let warned =
        warning_event(snapshot, &job.metadata).filter(|_| is_idle)?.time.map(|time| time.as_second());
    let made = pods_of(snapshot, &job.metadata).filter_map(|pod| pod.metadata.creation_timestamp.as_ref());
    let newest = made.map(|time| time.0.as_second()).max();
    let is_over = warned.zip(newest).is_some_and(|(warned, newest)| newest >= warned);
    if is_over { None } else { missing_pods(snapshot, &job.metadata) }
}

/// A schedule whose Jobs the API server rejects. A Job that was made since shows that it is over.
fn jobless(snapshot: &Snapshot, cron_job: &CronJob) -> Option<(String, PodIssue)> {
    let WarningEvent { pod_issue, time } = warning_event(snapshot, &cron_job.metadata)?;
    let own_jobs = snapshot.jobs.iter().filter(|job| is_owned_by(&job.metadata, &cron_job.metadata));
    let made = own_jobs.filter_map(|job| job.metadata.creation_timestamp.as_ref());
    let newest = made.map(|time| time.0.as_second()).max();
    let is_over = time.zip(newest).is_some_and(|(warned, newest)| newest >= warned.as_second());
    let is_suspended = cron_job.spec.as_ref().and_then(|spec| spec.suspend) == Some(true);
    if is_over || is_suspended {
        return None;
    }
    Some((step_of(&cron_job.metadata)?, rejected("JobsRejected", "Jobs", &pod_issue.message)))
}

/// A Job at work whose newest failed pod is made good by another: why it failed, since the Job itself says so only at the end.
fn failed_attempt(snapshot: &Snapshot, job: &Job) -> Option<(String, PodIssue)> {
    let own_pods: Vec<&Pod> = pods_of(snapshot, &job.metadata).collect();
    if !jobs::is_active(job, &own_pods) {
        return None;
    }
    let failed: Vec<&Pod> = own_pods.into_iter().filter(|pod| pods::failed(pod)).collect();
    let newest = jobs::newest(&failed).filter(|pod| !pods::failed_for_good(pod))?;
    let (reason, words) = pods::failure(newest)?;
    let counted = failed.iter().filter(|pod| pods::disruption(pod).is_none()).count();
    let reported = job.status.as_ref().and_then(|status| status.failed).unwrap_or_default();
    let failures = counted.max(usize::try_from(reported).unwrap_or_default());
    let retries = job.spec.as_ref().and_then(|spec| spec.backoff_limit).unwrap_or(DEFAULT_RETRIES);
    let retries = usize::try_from(retries).unwrap_or_default();
    let message = if pods::disruption(newest).is_some() {
        format!("{words}; this is not counted as an attempt, and it is tried again")
    } else if failures > retries {
        // The Job is about to say so itself.
        return None;
    } else if jobs::runs_one_pod(job) {
        format!("attempt {failures} of {} failed: {words}; it is tried again", retries.saturating_add(1))
    } else {
        format!("{failures} of at most {retries} failures: {words}; another pod takes its place")
    };
    Some((step_of(&job.metadata)?, PodIssue { reason, message }))
}

/// A child whose pods the API server rejects, as its controller reports.
fn missing_pods(snapshot: &Snapshot, metadata: &ObjectMeta) -> Option<(String, PodIssue)> {
    let warning_event = warning_event(snapshot, metadata)?;
    Some((step_of(metadata)?, rejected_pods(&warning_event.pod_issue.message)))
}

fn replica_failure(deployment: &Deployment) -> Option<(String, PodIssue)> {
    let conditions = deployment.status.as_ref()?.conditions.iter().flatten();
    let failure = conditions.into_iter().find(|now| now.type_ == "ReplicaFailure" && now.status == "True")?;
    Some((step_of(&deployment.metadata)?, rejected_pods(failure.message.as_deref().unwrap_or_default())))
}

fn rejected_pods(message: &str) -> PodIssue {
    rejected("PodsRejected", "pods", message)
}

fn rejected(reason: &str, what: &str, message: &str) -> PodIssue {
    let reason = if message.contains("exceeded quota") { QUOTA_EXCEEDED } else { reason };
    PodIssue { reason: reason.to_owned(), message: format!("the API server rejects its {what}: {message}") }
}
