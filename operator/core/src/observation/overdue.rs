//! What is normal for a moment, and holds a step up when it lasts. There is no clock here: each says from when on it counts.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;

use super::metadata::{pods_of, step_of};
use super::snapshot::Snapshot;
use super::{injected, jobs, not_ready, pods};
use crate::labels::label_of;
use crate::observed::{Overdue, PodIssue};

/// How long what usually takes seconds may take: a pod that is deleted, a node that reports again, a queue that admits a Job.
const GRACE: SignedDuration = SignedDuration::from_mins(1);
/// How long a run may be without a pod that has begun: a node may have to be added, and an image pulled.
const START_GRACE: SignedDuration = SignedDuration::from_mins(5);
/// The label by which Kueue knows a Job's queue.
const QUEUE: &str = "kueue.x-k8s.io/queue-name";
/// The cluster's reason for removing a pod from a node that is lost, or that has to be left.
const TAINTED: &str = "DeletionByTaintManager";

/// All of them with the step that each holds up, what pods say first. `pod_issues` are those that count at once.
pub(super) fn overdue(snapshot: &Snapshot, pod_issues: &[(String, PodIssue)]) -> Vec<(String, Overdue)> {
    let of_pods = snapshot.pods.iter().filter_map(|pod| Some((step_of(&pod.metadata)?, of_pod(pod)?)));
    let of_pods = of_pods.flat_map(|(step, all)| all.into_iter().map(move |one| (step.clone(), one)));
    let of_jobs = snapshot.jobs.iter().filter_map(|job| {
        let step = step_of(&job.metadata)?;
        let known = pod_issues.iter().find(|(of, _)| *of == step).map(|(_, pod_issue)| pod_issue);
        let overdue = of_job(snapshot, job, known)?;
        Some((step, overdue))
    });
    of_pods.chain(of_jobs).collect()
}

fn of_pod(pod: &Pod) -> Option<Vec<Overdue>> {
    if pods::has_ended(pod) {
        return None;
    }
    let first = remains(pod)
        .or_else(|| unreachable(pod))
        .or_else(|| injected::outlives_step(pod))
        .or_else(|| injected::holds_start(pod));
    Some(first.map_or_else(|| not_ready::not_ready(pod), |first| vec![first]))
}

/// A pod that should be gone: its kubelet has not ended it, and nothing takes its place where there may be one at a time.
fn remains(pod: &Pod) -> Option<Overdue> {
    let due = pod.metadata.deletion_timestamp.as_ref()?.0;
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let is_tainted = pods::disruption(pod).is_some_and(|why| why.reason.as_deref() == Some(TAINTED));
    let (reason, why) = match is_tainted {
        true => ("NodeLost", "its node does not report any more"),
        false => ("PodTerminating", "its node may be lost, or a finalizer holds it"),
    };
    let message = format!(
        "pod {name} is deleted and not gone: {why}; it goes when the node is back, is deleted, or has the taint \
         node.kubernetes.io/out-of-service"
    );
    Some(Overdue { from: after(due, GRACE)?, pod_issue: PodIssue { reason: reason.to_owned(), message } })
}

/// A pod on a node that does not report. Nobody but the cluster's node controller calls a pod not ready whose containers are.
fn unreachable(pod: &Pod) -> Option<Overdue> {
    let ready = pods::condition(pod, "Ready", "False").filter(|ready| ready.reason.is_none())?;
    pods::condition(pod, "ContainersReady", "True")?;
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let message = format!(
        "the node of pod {name} does not report any more; the cluster removes the pod when that lasts for five minutes, or for as \
         long as pod.tolerations say"
    );
    let since = ready.last_transition_time.as_ref()?.0;
    let pod_issue = PodIssue { reason: "NodeUnreachable".to_owned(), message };
    Some(Overdue { from: after(since, GRACE)?, pod_issue })
}

fn of_job(snapshot: &Snapshot, job: &Job, known: Option<&PodIssue>) -> Option<Overdue> {
    let own_pods: Vec<&Pod> = pods_of(snapshot, &job.metadata).collect();
    if !jobs::is_active(job, &own_pods) {
        return None;
    }
    if job.spec.as_ref().and_then(|spec| spec.suspend) == Some(true) {
        return suspended(job);
    }
    let started = job.status.as_ref()?.start_time.as_ref()?.0;
    if !jobs::is_pending(job, &own_pods) {
        return None;
    }
    let name = job.metadata.name.as_deref().unwrap_or_default();
    let unknown = || PodIssue {
        reason: "PodsPending".to_owned(),
        message: format!(
            "no pod of Job {name} has begun within five minutes; see kubectl describe pods -l job-name={name}"
        ),
    };
    Some(Overdue { from: after(started, START_GRACE)?, pod_issue: known.cloned().unwrap_or_else(unknown) })
}

/// A Job that waits for somebody's word.
fn suspended(job: &Job) -> Option<Overdue> {
    let name = job.metadata.name.as_deref().unwrap_or_default();
    let (reason, message) = match label_of(&job.metadata, QUEUE) {
        Some(queue) => (
            "JobQueued",
            format!(
                "Job {name} waits until queue {queue} of Kueue has room for it; see kubectl get workloads"
            ),
        ),
        None => (
            "JobSuspended",
            format!(
                "Job {name} is suspended, and not by its pipeline; it begins when its spec.suspend is false"
            ),
        ),
    };
    let created = job.metadata.creation_timestamp.as_ref().map(|time| time.0);
    let since =
        jobs::condition(job, "Suspended").and_then(|condition| condition.last_transition_time.as_ref());
    let since = since.map(|time| time.0).max(created)?;
    Some(Overdue { from: after(since, GRACE)?, pod_issue: PodIssue { reason: reason.to_owned(), message } })
}

fn after(time: Timestamp, wait: SignedDuration) -> Option<Timestamp> {
    time.saturating_add(wait).ok()
}
