//! What pods say: the worker's report, why a container failed, and what keeps a pod from starting.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStateTerminated, Pod, PodCondition};
use mlpipeline_crds::{ExitCode, Outcome, StepReport};

use super::container_status::{
    OUT_OF_MEMORY_MESSAGE, container_issue, containers, ended_last, ended_now, is_out_of_memory, last_words,
};
use super::injected;
use super::metadata::is_of_job;
use crate::children::CONTAINER;
use crate::observed::{OUT_OF_MEMORY, PodIssue};

/// The reason of a pod for which no node has room.
pub(super) const UNSCHEDULABLE: &str = "Unschedulable";
/// The end of the step's container, where it ended, now or the last time.
pub(super) fn terminated(pod: &Pod) -> Option<&ContainerStateTerminated> {
    let status = containers(pod).next()?;
    ended_now(status).or_else(|| ended_last(status))
}

/// The report in a pod's termination message.
pub(super) fn report(pod: &Pod) -> Option<StepReport> {
    StepReport::from_json(report_text(pod)?).ok()
}

/// The text that a report would be, in a pod's termination message.
pub(super) fn report_text(pod: &Pod) -> Option<&str> {
    Some(terminated(pod)?.message.as_deref()?.trim())
}

/// When a container that has ended began.
pub(super) fn started(pod: &Pod) -> Option<Timestamp> {
    terminated(pod)?.started_at.as_ref().map(|time| time.0)
}

/// When a pod's container ended.
pub(super) fn finished(pod: &Pod) -> Option<Timestamp> {
    terminated(pod)?.finished_at.as_ref().map(|time| time.0)
}

/// Whether the pod ended well.
pub(super) fn succeeded(pod: &Pod) -> bool {
    match phase(pod) {
        Some("Succeeded") => true,
        Some("Failed") => false,
        _ => is_over(pod) && report(pod).is_some_and(|report| report.outcome == Outcome::Succeeded),
    }
}

/// Whether all containers have ended well. The kubelet calls a Job's pod Succeeded when it has cleaned up behind it, about a second
/// later. A worker that reports success besides has done its work; anybody else's container may have ended well because it was
/// stopped, when its node is short of memory, say, and the kubelet does not say why before it has ended.
fn is_over(pod: &Pod) -> bool {
    let ends: Vec<_> = containers(pod).map(ended_now).collect();
    !ends.is_empty() && ends.iter().all(|end| end.is_some_and(|end| end.exit_code == 0))
}

/// Whether the pod has ended, well or badly.
pub(super) fn has_ended(pod: &Pod) -> bool {
    matches!(phase(pod), Some("Succeeded" | "Failed"))
}

/// A pod's condition of this type, where it has this status.
pub(super) fn condition<'a>(pod: &'a Pod, kind: &str, status: &str) -> Option<&'a PodCondition> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|condition| condition.type_ == kind && condition.status == status)
}

/// Whether a Job's pod is over and still holds what it had: its place on the node, its quota, its volume.
pub(super) fn gives_way(pod: &Pod) -> bool {
    is_of_job(pod) && is_over(pod) && !has_ended(pod)
}

/// Whether the pod has failed.
pub(super) fn failed(pod: &Pod) -> bool {
    phase(pod) == Some("Failed")
}

/// Whether the worker failed in a way in which it would fail again, so that no other attempt follows.
pub(super) fn failed_for_good(pod: &Pod) -> bool {
    let code = terminated(pod).and_then(|end| ExitCode::from_code(end.exit_code));
    report(pod).is_some() && code.is_some_and(|code| ExitCode::FINAL_FAILURES.contains(&code))
}

/// The cluster's word that it took the pod away: by eviction, preemption or a node's end. It counts as no attempt of a Job.
pub(super) fn disruption(pod: &Pod) -> Option<&PodCondition> {
    condition(pod, "DisruptionTarget", "True")
}

/// Why a pod failed, as (reason, message); `None` when it did not.
pub(super) fn failure(pod: &Pod) -> Option<(String, String)> {
    let status = pod.status.as_ref()?;
    let end = terminated(pod);
    let is_own_failure = end.is_some_and(|end| end.exit_code != 0);
    if phase(pod) != Some("Failed") && !is_own_failure {
        return None;
    }
    if let Some(report) = report(pod).filter(|report| report.outcome != Outcome::Succeeded) {
        let reason = report.reason.unwrap_or_else(|| "StepFailed".to_owned());
        return Some((reason, report.message.unwrap_or_else(|| "the worker gave no reason".to_owned())));
    }
    if let Some(reason) = &status.reason {
        // The kubelet's or the node's own word: Evicted, NodeLost, DeadlineExceeded.
        let message = status.message.clone().unwrap_or_default();
        return Some((
            reason.clone(),
            format!("the pod was stopped ({reason}) {message}").trim_end().to_owned(),
        ));
    }
    if let Some(disruption) = disruption(pod) {
        let reason = disruption.reason.clone().unwrap_or_else(|| "Disrupted".to_owned());
        let message = disruption.message.as_deref().unwrap_or_default();
        let message = format!("the cluster took the pod away ({reason}) {message}").trim_end().to_owned();
        return Some((reason, message));
    }
    if !is_own_failure && let Some(failure) = injected::failure(pod) {
        return Some(failure);
    }
    let end = end?;
    if is_out_of_memory(end) {
        return Some((OUT_OF_MEMORY.to_owned(), OUT_OF_MEMORY_MESSAGE.to_owned()));
    }
    let message = format!("the container ended with exit code {}{}", end.exit_code, last_words(end));
    Some(("ContainerFailed".to_owned(), message))
}

/// Whether a pod has not begun to work, and has not ended.
pub(super) fn waits(pod: &Pod) -> bool {
    is_pending(pod) && pod.metadata.deletion_timestamp.is_none()
}

/// Whether no container of a pod has begun.
pub(super) fn is_pending(pod: &Pod) -> bool {
    matches!(phase(pod), None | Some("Pending"))
}

/// Whether a pod is ready to do its work, and stays.
pub(super) fn is_ready(pod: &Pod) -> bool {
    condition(pod, "Ready", "True").is_some() && pod.metadata.deletion_timestamp.is_none()
}

/// What keeps a pod from working, where the pod says so itself.
pub(super) fn pod_issue(pod: &Pod) -> Option<PodIssue> {
    if has_ended(pod) || pod.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let own = containers(pod).find(|status| status.name == CONTAINER);
    if let Some(pod_issue) = own.and_then(container_issue).or_else(|| injected::pod_issue(pod)) {
        return Some(pod_issue);
    }
    let unscheduled = condition(pod, "PodScheduled", "False")?;
    let words = unscheduled.message.as_deref().unwrap_or("the scheduler gave no reason");
    Some(PodIssue {
        reason: unscheduled.reason.clone().unwrap_or_else(|| UNSCHEDULABLE.to_owned()),
        message: format!("no node takes the pod: {words}{}", bound_to_node(words)),
    })
}

/// What to do where the pod's volume, and so the pods that use it already, allow no node that is otherwise right. The words are the scheduler's.
fn bound_to_node(words: &str) -> &'static str {
    let is_bound =
        ["pod affinity rules", "volume node affinity conflict"].iter().any(|rule| words.contains(rule));
    if is_bound {
        "; one node at a time can mount the pipeline's volume, so its pods must be where those are that use it already: let all steps \
         ask for the same nodes (spec.pod.nodeSelector), or take a volume with the access mode ReadWriteMany"
    } else {
        ""
    }
}

fn phase(pod: &Pod) -> Option<&str> {
    pod.status.as_ref()?.phase.as_deref()
}
