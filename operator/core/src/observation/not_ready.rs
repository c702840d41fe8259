//! Pods of long-running steps that run and do not become ready, though no container waits for anything: a probe that fails, a readiness gate
//! that nobody sets, a container that something else added.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;

use super::container_status::{containers, ended_last, ends_again, running_since};
use super::metadata::is_of_job;
use super::{injected, pods};
use crate::children::STARTUP_SECONDS;
use crate::observed::{Overdue, PodIssue};

/// How often a container has begun again that is said to end again and again: once is what a node does that reboots.
const OFTEN: i32 = 2;

/// How long a pod may run without being ready: as long as the start of a server may take, and a minute for the end of one that took longer. One
/// bound for all, since which probes a container has is not known here: a shorter one for some would be passed and taken back by a start.
fn grace() -> SignedDuration {
    SignedDuration::from_secs(i64::from(STARTUP_SECONDS) + 60)
}

/// What holds such a pod up, by the kubelet's own words: which container, or which gate.
pub(super) fn not_ready(pod: &Pod) -> Vec<Overdue> {
    let is_running = pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Running");
    let condition = pods::condition(pod, "Ready", "False").filter(|ready| {
        matches!(ready.reason.as_deref(), Some("ContainersNotReady" | "ReadinessGatesNotReady"))
    });
    let Some(condition) = condition.filter(|_| is_running && !is_of_job(pod)) else { return Vec::new() };
    let Some(since) = condition.last_transition_time.as_ref().map(|time| time.0) else { return Vec::new() };
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let words = condition.message.as_deref().unwrap_or("the kubelet gives no reason");
    let pod_issue = PodIssue {
        reason: "PodNotReady".to_owned(),
        message: format!("pod {name} runs and does not become ready: {words}"),
    };
    // An image may have taken its time, and a container that began again has its time to start again.
    let begun = containers(pod).filter_map(running_since).max();
    let runs = after(begun.max(Some(since)), pod_issue);
    // One that ends each time before that is as stuck while it runs as it is between.
    let ends = containers(pod).find(|status| status.restart_count >= OFTEN && ended_last(status).is_some());
    let ends = ends.map(|status| injected::with_its_name(status, ends_again(status, None)));
    runs.into_iter().chain(ends.and_then(|issue| after(Some(since), issue))).collect()
}

fn after(time: Option<Timestamp>, pod_issue: PodIssue) -> Option<Overdue> {
    Some(Overdue { from: time?.saturating_add(grace()).ok()?, pod_issue })
}
