//! Containers that others add to the pods of a step: sidecars and init containers of meshes, log collectors, vaults. The pods that
//! are built here have one container, and no init container.

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Pod};

use super::container_status::{container_issue, last_words, own_end};
use super::metadata::is_of_job;
use crate::children::CONTAINER;
use crate::observed::{Overdue, PodIssue};

/// How long a sidecar may take to end after the step's own container.
const END_GRACE: SignedDuration = SignedDuration::from_mins(1);
/// How long an init container may take before the step can begin.
const START_GRACE: SignedDuration = SignedDuration::from_mins(5);

/// A container beside the step's own that still runs when that has ended, so that the pod of a Job does not end.
pub(super) fn outlives_step(pod: &Pod) -> Option<Overdue> {
    let ended = own_end(pod).filter(|_| is_of_job(pod))?.finished_at.as_ref()?.0;
    let sidecar = beside(pod).find(|status| is_running(status))?;
    let message = format!(
        "the step's container has ended and {} still runs, so the pod does not end; have it added as an init container with \
         restartPolicy Always, which ends with the others, or not at all",
        named(sidecar)
    );
    let pod_issue = PodIssue { reason: "SidecarRunning".to_owned(), message };
    Some(Overdue { from: ended.saturating_add(END_GRACE).ok()?, pod_issue })
}

/// An init container that does not end, so that the step does not begin. One that counts as started is a sidecar.
pub(super) fn holds_start(pod: &Pod) -> Option<Overdue> {
    let waited_for = init(pod).find(|status| is_running(status) && status.started != Some(true))?;
    let since = waited_for.state.as_ref()?.running.as_ref()?.started_at.as_ref()?.0;
    let message = format!("the step begins when {} has ended; see its log", named(waited_for));
    let pod_issue = PodIssue { reason: "InitContainerRunning".to_owned(), message };
    Some(Overdue { from: since.saturating_add(START_GRACE).ok()?, pod_issue })
}

/// What keeps such a container from working.
pub(super) fn pod_issue(pod: &Pod) -> Option<PodIssue> {
    init(pod).chain(beside(pod)).find_map(|status| Some(with_its_name(status, container_issue(status)?)))
}

/// The issue of a container, with its name where it is not the step's own.
pub(super) fn with_its_name(status: &ContainerStatus, issue: PodIssue) -> PodIssue {
    if status.name == CONTAINER {
        return issue;
    }
    PodIssue { message: format!("{}: {}", named(status), issue.message), ..issue }
}

/// How such a container failed, as (reason, message), where it is why the pod failed.
pub(super) fn failure(pod: &Pod) -> Option<(String, String)> {
    let failed = |status: &ContainerStatus| {
        let end: &ContainerStateTerminated = status.state.as_ref()?.terminated.as_ref()?;
        let message = format!("{} ended with exit code {}{}", named(status), end.exit_code, last_words(end));
        (end.exit_code != 0).then(|| ("InjectedContainerFailed".to_owned(), message))
    };
    init(pod).chain(beside(pod)).find_map(failed)
}

fn init(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    pod.status.iter().flat_map(|status| status.init_container_statuses.iter().flatten())
}

fn beside(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let all = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
    all.filter(|status| status.name != CONTAINER)
}

fn is_running(status: &ContainerStatus) -> bool {
    status.state.as_ref().is_some_and(|state| state.running.is_some())
}

fn named(status: &ContainerStatus) -> String {
    format!("container {}, which something else added to the pod,", status.name)
}
