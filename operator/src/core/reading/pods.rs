//! What pods say: the worker's report, why a container failed, and what keeps a pod from starting.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Pod};
use mlpipeline_crds::StepReport;

use crate::core::observed::Trouble;

/// How much of a foreign container's last words is repeated, in characters.
const LAST_WORDS: usize = 400;

/// The end of a pod's container, where it ended.
pub(super) fn terminated(pod: &Pod) -> Option<&ContainerStateTerminated> {
    let status = containers(pod).next()?;
    let now = status.state.as_ref().and_then(|state| state.terminated.as_ref());
    now.or_else(|| status.last_state.as_ref().and_then(|state| state.terminated.as_ref()))
}

/// The report in a pod's termination message.
pub(super) fn report(pod: &Pod) -> Option<StepReport> {
    StepReport::from_json(report_text(pod)?).ok()
}

/// The text that a report would be, in a pod's termination message.
pub(super) fn report_text(pod: &Pod) -> Option<&str> {
    Some(terminated(pod)?.message.as_deref()?.trim())
}

/// When a pod's container ended.
pub(super) fn finished(pod: &Pod) -> Option<Timestamp> {
    terminated(pod)?.finished_at.as_ref().map(|time| time.0)
}

/// Whether the pod ended well.
pub(super) fn succeeded(pod: &Pod) -> bool {
    phase(pod) == Some("Succeeded")
}

/// Why a pod failed, as (reason, message); `None` when it did not.
pub(super) fn failure(pod: &Pod) -> Option<(String, String)> {
    let status = pod.status.as_ref()?;
    let end = terminated(pod);
    if phase(pod) != Some("Failed") && end.is_none_or(|end| end.exit_code == 0) {
        return None;
    }
    if let Some(report) = report(pod) {
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
    let end = end?;
    if end.reason.as_deref() == Some("OOMKilled") {
        let message =
            "the container used more memory than its limit allows; raise pod.resources.limits.memory";
        return Some(("OutOfMemory".to_owned(), message.to_owned()));
    }
    let words = end.message.as_deref().map(str::trim).filter(|words| !words.is_empty());
    let said = words.map(|words| format!("; its last words: {}", tail(words))).unwrap_or_default();
    Some((
        "ContainerFailed".to_owned(),
        format!("the container ended with exit code {}{said}", end.exit_code),
    ))
}

/// Whether a pod has not begun to work, and has not ended.
pub(super) fn waits(pod: &Pod) -> bool {
    matches!(phase(pod), None | Some("Pending")) && pod.metadata.deletion_timestamp.is_none()
}

/// What keeps a pod from working, where the pod says so itself.
pub(super) fn trouble(pod: &Pod) -> Option<Trouble> {
    if matches!(phase(pod), Some("Succeeded" | "Failed")) || pod.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let waiting = containers(pod)
        .find_map(|status| status.state.as_ref()?.waiting.as_ref().map(|waiting| (status, waiting)));
    if let Some((status, waiting)) = waiting {
        let reason = waiting.reason.clone().unwrap_or_default();
        if !matches!(reason.as_str(), "" | "ContainerCreating" | "PodInitializing") {
            return Some(Trouble {
                message: waiting_message(status, &reason, waiting.message.as_deref()),
                reason,
            });
        }
    }
    let conditions = pod.status.as_ref()?.conditions.iter().flatten();
    let unscheduled = conditions
        .into_iter()
        .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False")?;
    Some(Trouble {
        reason: unscheduled.reason.clone().unwrap_or_else(|| "Unschedulable".to_owned()),
        message: format!(
            "no node takes the pod: {}",
            unscheduled.message.as_deref().unwrap_or("the scheduler gave no reason")
        ),
    })
}

fn waiting_message(status: &ContainerStatus, reason: &str, message: Option<&str>) -> String {
    let said = message.map(|message| format!(": {message}")).unwrap_or_default();
    match reason {
        "ImagePullBackOff" | "ErrImagePull" | "InvalidImageName" | "ErrImageNeverPull" => {
            format!("image {} cannot be pulled{said}", status.image)
        }
        "CrashLoopBackOff" => {
            let last = status.last_state.as_ref().and_then(|state| state.terminated.as_ref());
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

fn containers(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten())
}

fn phase(pod: &Pod) -> Option<&str> {
    pod.status.as_ref()?.phase.as_deref()
}

fn tail(text: &str) -> String {
    let count = text.chars().count();
    text.chars().skip(count.saturating_sub(LAST_WORDS)).collect()
}
