//! What children say, read as data: one case for each thing that a kubelet, a scheduler or a controller may say.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod hostile_bytes;
mod overdue;
mod pod_issues;
mod runs;
mod stateful_sets;

use std::sync::Arc;

use mlpipeline_core::observation::{Snapshot, read};
use mlpipeline_core::observed::ObservedRun;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const KEY: &str = "0123456789ab";
const REPORT: &str = r#"{"outcome":"succeeded","revision":"0123456789ab","metrics":{"accuracy":0.97}}"#;

fn object<T: DeserializeOwned>(value: Value) -> Arc<T> {
    Arc::new(serde_json::from_value(value).expect("the fixture is such an object"))
}

fn job(spec: Value, status: Value) -> Value {
    json!({
        "metadata": {"name": "iris-train", "uid": "job-uid", "labels": {
            "mlpipeline.dev/step": "train", "mlpipeline.dev/revision": KEY, "mlpipeline.dev/attempt": "2"}},
        "spec": spec,
        "status": status,
    })
}

fn pod(status: Value) -> Value {
    json!({
        "metadata": {"name": "iris-train-x", "labels": {"mlpipeline.dev/step": "train"}, "ownerReferences": [
            {"apiVersion": "batch/v1", "kind": "Job", "name": "iris-train", "uid": "job-uid", "controller": true}]},
        "status": status,
    })
}

fn ended(code: i32, reason: &str, message: &str) -> Value {
    json!({"containerStatuses": [{"name": "step", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"terminated": {"exitCode": code, "reason": reason, "message": message, "startedAt": "2026-11-20T09:59:00Z",
            "finishedAt": "2026-11-20T10:00:00Z"}}}],
        "phase": if code == 0 { "Succeeded" } else { "Failed" }})
}

fn waiting(reason: &str, message: &str) -> Value {
    json!({"phase": "Pending", "containerStatuses": [{"name": "step", "image": "ttl.sh/nothing:1", "imageID": "",
        "ready": false, "restartCount": 0, "state": {"waiting": {"reason": reason, "message": message}}}]})
}

fn failed_job(reason: &str) -> Value {
    json!({"failed": 1, "conditions": [{"type": "Failed", "status": "True", "reason": reason, "message": "the Job's own words"}]})
}

fn snapshot(job: Value, pods: Vec<Value>) -> Snapshot {
    Snapshot { jobs: vec![object(job)], pods: pods.into_iter().map(object).collect(), ..Snapshot::default() }
}

fn run(job: Value, pods: Vec<Value>) -> ObservedRun {
    let observed = read(&snapshot(job, pods));
    observed.steps["train"].runs[0].clone()
}
