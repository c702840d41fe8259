//! What pods say: the worker's report, why a container failed, and what keeps a pod from starting.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Pod, PodCondition};
use mlpipeline_crds::{ExitCode, Outcome, StepReport};

use super::injected;
use crate::children::CONTAINER;
use crate::observed::PodIssue;

/// The reason of a container that used more memory than it may, as steps report it.
const OUT_OF_MEMORY: &str = "OutOfMemory";
/// What happened to it, and what to do.
const OUT_OF_MEMORY_MESSAGE: &str =
    "the container used more memory than its limit allows; raise pod.resources.limits.memory";
/// The reason of a pod for which no node has room.
pub(super) const UNSCHEDULABLE: &str = "Unschedulable";
/// How much of a foreign container's last words is repeated, in characters.
const LAST_WORDS: usize = 400;

/// The end of the step's container, where it ended, now or the last time.
pub(super) fn terminated(pod: &Pod) -> Option<&ContainerStateTerminated> {
    let status = containers(pod).next()?;
    ended_now(status).or_else(|| ended_last(status))
}

fn ended_now(status: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    status.state.as_ref()?.terminated.as_ref()
}

fn ended_last(status: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    status.last_state.as_ref()?.terminated.as_ref()
}

fn is_out_of_memory(end: &ContainerStateTerminated) -> bool {
    end.reason.as_deref() == Some("OOMKilled")
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

/// Whether a Job controls the pod.
pub(super) fn is_of_job(pod: &Pod) -> bool {
    let owners = pod.metadata.owner_references.iter().flatten();
    owners.into_iter().any(|owner| owner.controller == Some(true) && owner.kind == "Job")
}

/// The end of the step's own container, where it has ended and not begun again.
pub(super) fn own_end(pod: &Pod) -> Option<&ContainerStateTerminated> {
    ended_now(containers(pod).next().filter(|status| status.name == CONTAINER)?)
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

/// What a container left as its last words, to follow how it ended.
pub(super) fn last_words(end: &ContainerStateTerminated) -> String {
    let words = end.message.as_deref().map(str::trim).filter(|words| !words.is_empty());
    words.map(|words| format!("; its last words: {}", tail(words))).unwrap_or_default()
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
    if let Some(pod_issue) = own.and_then(trouble_of_container).or_else(|| injected::pod_issue(pod)) {
        return Some(pod_issue);
    }
    let unscheduled = condition(pod, "PodScheduled", "False")?;
    Some(PodIssue {
        reason: unscheduled.reason.clone().unwrap_or_else(|| UNSCHEDULABLE.to_owned()),
        message: format!(
            "no node takes the pod: {}",
            unscheduled.message.as_deref().unwrap_or("the scheduler gave no reason")
        ),
    })
}

/// What keeps a container from working: it waits, or it used too much memory and is not ready since.
pub(super) fn trouble_of_container(status: &ContainerStatus) -> Option<PodIssue> {
    let last_end = ended_now(status).or_else(|| ended_last(status).filter(|_| !status.ready));
    if last_end.is_some_and(is_out_of_memory) {
        let message = OUT_OF_MEMORY_MESSAGE.to_owned();
        return Some(PodIssue { reason: OUT_OF_MEMORY.to_owned(), message });
    }
    let waiting = status.state.as_ref()?.waiting.as_ref()?;
    let reason = waiting.reason.clone().unwrap_or_default();
    if matches!(reason.as_str(), "" | "ContainerCreating" | "PodInitializing") {
        return None;
    }
    let message = waiting_message(status, &reason, waiting.message.as_deref());
    // The kubelet changes from the one to the other at each attempt.
    let reason = if reason == "ErrImagePull" { "ImagePullBackOff".to_owned() } else { reason };
    Some(PodIssue { reason, message })
}

fn waiting_message(status: &ContainerStatus, reason: &str, message: Option<&str>) -> String {
    let said = message.map(|message| format!(": {message}")).unwrap_or_default();
    match reason {
        "ImagePullBackOff" | "ErrImagePull" | "InvalidImageName" | "ErrImageNeverPull" => {
            format!("image {} cannot be pulled{said}", status.image)
        }
        "CrashLoopBackOff" => {
            let last = ended_last(status);
            let code = last.map(|end| format!(" with exit code {}", end.exit_code)).unwrap_or_default();
            let report = last.and_then(|end| StepReport::from_json(end.message.as_deref()?.trim()).ok());
            let words =
                report.and_then(|report| report.message).map(|words| format!(": {words}")).unwrap_or(said);
            format!("the container ends again and again{code}{words}")
        }
        "CreateContainerConfigError" => format!("the container cannot be set up{said}"),
        _ => format!("the container waits{said}"),
    }
}

/// The containers, the step's own first: others may have been put beside it, and the kubelet lists them by their names.
fn containers(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let all = || pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
    let is_own = |status: &&ContainerStatus| status.name == CONTAINER;
    all().filter(is_own).chain(all().filter(move |status| !is_own(status)))
}

fn phase(pod: &Pod) -> Option<&str> {
    pod.status.as_ref()?.phase.as_deref()
}

fn tail(text: &str) -> String {
    let count = text.chars().count();
    text.chars().skip(count.saturating_sub(LAST_WORDS)).collect()
}
