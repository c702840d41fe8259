//! What the API server's audit log says that the operator did.

use std::collections::HashMap;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use mlpipeline_tests::control_plane::{AuditEvent, AuditPosition, ControlPlane};

/// What was seen of many pipelines, from their creation to their rest.
pub struct Seen {
    /// From the answer to a pipeline's creation to the request for its first Job, in milliseconds, sorted.
    pub own_share: Vec<f64>,
    /// Writes by verb and resource, events among them.
    pub writes: Vec<(String, usize)>,
    /// Requests that were refused or failed.
    pub failed: usize,
}

/// Waits until the operator has written nothing for ten seconds but its lease.
pub async fn wait_for_silence(control_plane: &ControlPlane, user: &str) {
    loop {
        let since = control_plane.audit().position().await;
        tokio::time::sleep(Duration::from_secs(10)).await;
        if writes(control_plane, user, since).await.iter().all(|(call, _)| call.ends_with(" leases")) {
            return;
        }
    }
}

/// The operator's writes since then, by verb and resource.
pub async fn writes(control_plane: &ControlPlane, user: &str, since: AuditPosition) -> Vec<(String, usize)> {
    let events = control_plane.audit().query().since(since).user(user).writes().events().await;
    count(&events)
}

/// What was done for the pipelines of a namespace.
pub async fn whole_life(
    control_plane: &ControlPlane,
    user: &str,
    namespace: &str,
    since: AuditPosition,
) -> Seen {
    let query = control_plane.audit().query().since(since).namespace(namespace);
    let ours = query.clone().user(user).writes().events().await;
    let created = query.resource("mlpipelines").verb("create").events().await;
    let answered: HashMap<String, Timestamp> =
        created.iter().map(|event| (name(event), time(&event.stage_timestamp))).collect();
    let mut first: HashMap<String, Timestamp> = HashMap::new();
    for job in ours.iter().filter(|event| event.resource() == "jobs" && event.verb == "create") {
        let label = &job.request_object["metadata"]["labels"]["mlpipeline.dev/pipeline"];
        first
            .entry(label.as_str().unwrap().to_owned())
            .or_insert_with(|| time(&job.request_received_timestamp));
    }
    let share = |(name, asked): (&String, &Timestamp)| {
        // The watch may be quicker than the answer.
        asked.duration_since(*answered.get(name).unwrap()).as_secs_f64().max(0.0) * 1000.0
    };
    let mut own_share: Vec<f64> = first.iter().map(share).collect();
    own_share.sort_by(f64::total_cmp);
    let failed = ours.iter().filter(|event| event.response_status.code >= 400).count();
    Seen { own_share, writes: count(&ours), failed }
}

fn count(events: &[AuditEvent]) -> Vec<(String, usize)> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for event in events {
        *counts.entry(format!("{} {}", event.verb, event.resource())).or_default() += 1;
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort();
    counts
}

fn name(event: &AuditEvent) -> String {
    let name = &event.object_ref.name;
    if name.is_empty() {
        event.request_object["metadata"]["name"].as_str().unwrap().to_owned()
    } else {
        name.clone()
    }
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}
