//! Whether a pipeline came about, by what its status says and by what its children say without it.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::DynamicObject;
use mlpipeline_core::child_kind::ChildKind;
use mlpipeline_crds::MLPipeline;
use serde_json::{Value, json};

pub enum Outcome {
    /// Everything that can come about has.
    Settled,
    /// What has not, and what is said of it.
    Stuck(String),
}

/// Reasons of a pipeline that is not ready and need not become so here: the spec is fine, and the cluster has not what it asks for.
const HONEST: [&str; 1] = [
    // The bed has no metrics.
    "NotAutoscaled",
];

/// How a pipeline stands, with what its children lack.
pub fn of(resource: &MLPipeline, spec: &Value, troubles: &[String]) -> Outcome {
    let status = resource.status.clone().unwrap_or_default();
    let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready");
    let is_current = status.observed_generation == resource.metadata.generation;
    let may_rest = ready.is_some_and(|ready| {
        ready.status == "True"
            || HONEST.contains(&ready.reason.as_str())
            || (waits_for_a_schedule(spec) && ready.reason == "Waiting")
    });
    if is_current && may_rest && troubles.is_empty() {
        return Outcome::Settled;
    }
    let said: Vec<String> = status
        .conditions
        .iter()
        .map(|condition| {
            format!("  {}={} {}: {}", condition.type_, condition.status, condition.reason, condition.message)
        })
        .chain(status.steps.iter().map(|step| format!("  {}", json!(step))))
        .chain(troubles.iter().map(|trouble| format!("  {trouble}")))
        .collect();
    Outcome::Stuck(format!("{}, current {is_current}:\n{}", resource.name_any(), said.join("\n")))
}

/// Whether a step waits for the first run of another, which does not come while the test runs.
fn waits_for_a_schedule(spec: &Value) -> bool {
    let steps = spec["steps"].as_array().cloned().unwrap_or_default();
    let scheduled: Vec<&Value> =
        steps.iter().filter(|step| step["schedule"].is_object()).map(|step| &step["name"]).collect();
    steps.iter().any(|step| {
        let after = step["after"].as_array().into_iter().flatten();
        let mut named: Vec<&Value> = after.collect();
        references(step, &mut named);
        named.into_iter().any(|name| scheduled.contains(&name))
    })
}

fn references<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("step"));
            fields.values().for_each(|inner| references(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| references(inner, found)),
        _ => {}
    }
}

/// What a workload's controller has still to do.
pub fn unfinished(kind: ChildKind, object: &DynamicObject) -> Option<String> {
    let (spec, status) = (&object.data["spec"], &object.data["status"]);
    let count = |value: &Value| value.as_i64().unwrap_or_default();
    let (wanted, updated, ready) = match kind {
        ChildKind::DaemonSet => (
            count(&status["desiredNumberScheduled"]),
            count(&status["updatedNumberScheduled"]),
            count(&status["numberReady"]),
        ),
        _ => (count(&spec["replicas"]), count(&status["updatedReplicas"]), count(&status["readyReplicas"])),
    };
    let is_seen = status["observedGeneration"].as_i64() == object.metadata.generation;
    let is_done = is_seen && updated == wanted && ready == wanted;
    (!is_done).then(|| format!("{} {}: {status}", kind.kind(), object.name_any()))
}

/// What a pod waits for.
pub fn pending(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let is_pending = status.phase.as_deref() == Some("Pending") && pod.metadata.deletion_timestamp.is_none();
    is_pending.then(|| format!("Pod {}: {}", pod.name_any(), json!(status.conditions)))
}

/// What is shown of a pipeline that did not come about: what it was, and what it should be now.
pub fn report(why: &str, history: &[Value]) -> String {
    let shown: Vec<String> = history.iter().map(|spec| serde_saphyr::to_string(spec).unwrap()).collect();
    format!("{why}\n{}", shown.join("--- changed to ---\n"))
}
