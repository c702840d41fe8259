//! What the kubelet says of single containers.
//!
//! Must not know whose containers they are: `pods` and `injected` do.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Pod};
use mlpipeline_crds::StepReport;

use crate::children::CONTAINER;
use crate::observed::{OUT_OF_MEMORY, PodIssue};

/// What happened to it, and what to do.
pub(super) const OUT_OF_MEMORY_MESSAGE: &str =
    "the container used more memory than its limit allows; raise pod.resources.limits.memory";
/// The kubelet's reason of a container that waits, since it has ended again.
const CRASHES: &str = "CrashLoopBackOff";
/// How much of a foreign container's last words is repeated, in characters.
const LAST_WORDS: usize = 400;

/// The containers, the step's own first: others may have been put beside it, and the kubelet lists them by their names.
pub(super) fn containers(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let all = || pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
    let is_own = |status: &&ContainerStatus| status.name == CONTAINER;
    all().filter(is_own).chain(all().filter(move |status| !is_own(status)))
}

/// How a container ended that has not begun again.
pub(super) fn ended_now(status: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    status.state.as_ref()?.terminated.as_ref()
}

/// How a container ended the last time, where it began again.
pub(super) fn ended_last(status: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    status.last_state.as_ref()?.terminated.as_ref()
}

/// Whether a container ended because it used more memory than it may.
pub(super) fn is_out_of_memory(end: &ContainerStateTerminated) -> bool {
    end.reason.as_deref() == Some("OOMKilled")
}

/// The end of the step's own container, where it has ended and not begun again.
pub(super) fn own_end(pod: &Pod) -> Option<&ContainerStateTerminated> {
    ended_now(containers(pod).next().filter(|status| status.name == CONTAINER)?)
}

/// What a container left as its last words, to follow how it ended.
pub(super) fn last_words(end: &ContainerStateTerminated) -> String {
    let words = end.message.as_deref().map(str::trim).filter(|words| !words.is_empty());
    words.map(|words| format!("; its last words: {}", tail(words))).unwrap_or_default()
}

/// What keeps a container from working: it waits, or it used too much memory and is not ready since.
pub(super) fn container_issue(status: &ContainerStatus) -> Option<PodIssue> {
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
    if reason == CRASHES {
        return Some(ends_again(status, waiting.message.as_deref()));
    }
    let message = waiting_message(status, &reason, waiting.message.as_deref());
    // The kubelet changes from the one to the other at each attempt.
    let reason = if reason == "ErrImagePull" { "ImagePullBackOff".to_owned() } else { reason };
    Some(PodIssue { reason, message })
}

/// Since when a container runs.
pub(super) fn running_since(status: &ContainerStatus) -> Option<Timestamp> {
    Some(status.state.as_ref()?.running.as_ref()?.started_at.as_ref()?.0)
}

/// A container that ends each time it begins: how it ended the last time, with its own words or else the kubelet's.
pub(super) fn ends_again(status: &ContainerStatus, said: Option<&str>) -> PodIssue {
    let last = ended_last(status);
    let code = last.map(|end| format!(" with exit code {}", end.exit_code)).unwrap_or_default();
    let report = last.and_then(|end| StepReport::from_json(end.message.as_deref()?.trim()).ok());
    let words = report.and_then(|report| report.message).or_else(|| said.map(str::to_owned));
    let words = words.map(|words| format!(": {words}")).unwrap_or_default();
    PodIssue {
        reason: CRASHES.to_owned(),
        message: format!("the container ends again and again{code}{words}"),
    }
}

fn waiting_message(status: &ContainerStatus, reason: &str, message: Option<&str>) -> String {
    let said = message.map(|message| format!(": {message}")).unwrap_or_default();
    match reason {
        "ImagePullBackOff" | "ErrImagePull" | "InvalidImageName" | "ErrImageNeverPull" => {
            format!("image {} cannot be pulled{said}", status.image)
        }
        "CreateContainerConfigError" => format!("the container cannot be set up{said}"),
        _ => format!("the container waits{said}"),
    }
}

fn tail(text: &str) -> String {
    let count = text.chars().count();
    text.chars().skip(count.saturating_sub(LAST_WORDS)).collect()
}
