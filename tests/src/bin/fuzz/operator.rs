//! What a pod's program and whoever edits a Job may write, as the operator reads it.

use std::sync::Arc;

use mlpipeline_core::observation::{Snapshot, read};
use mlpipeline_core::plan::{Schedules, plan};
use mlpipeline_core::validate::validate;
use mlpipeline_crds::{MLPipeline, REPORT_LIMIT, StepReport};
use mlpipeline_worker::hostile_bytes::Target;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The termination message of a pod.
pub const REPORT: Target = Target {
    name: "termination-message",
    seeds: reports,
    read: |bytes| observed(&String::from_utf8_lossy(bytes), "{}"),
};

/// The annotations of a Job.
pub const ANNOTATION: Target = Target {
    name: "annotation",
    seeds: annotations,
    read: |bytes| observed("", &String::from_utf8_lossy(bytes)),
};

/// The longest sentence about a step.
const LONGEST: usize = 16 << 10;

fn reports() -> Vec<Vec<u8>> {
    let done =
        r#"{"outcome":"succeeded","revision":"0123456789ab","metrics":{"accuracy":0.97},"stepVersion":4}"#;
    let failed = r#"{"outcome":"failed","reason":"ColumnNotFound","message":"column \"x\" not found"}"#;
    [done, failed].map(|text| text.as_bytes().to_vec()).to_vec()
}

fn annotations() -> Vec<Vec<u8>> {
    let fingerprint = r#"{"action":{"train":{"data":{"step":"data"},"target":"y","algorithm":{"logisticRegression":{}}}},"inputs":{"data":"0123456789ab"}}"#;
    let settings = r#"{"pod.resources":"0123456789ab","retries":"ba9876543210"}"#;
    [fingerprint, settings].map(|text| text.as_bytes().to_vec()).to_vec()
}

fn object<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("such an object")
}

fn pipeline() -> MLPipeline {
    object(json!({
        "apiVersion": "mlpipeline.dev/v1alpha1", "kind": "MLPipeline", "metadata": {"name": "iris"}, "spec": {"steps": [
            {"name": "data", "prepare": {"sql": "SELECT 1 AS y"}},
            {"name": "train", "train": {"data": {"step": "data"}, "target": "y", "algorithm": {"logisticRegression": {}}}},
        ]},
    }))
}

/// Reads a Job of the step "train" with a pod that has ended, and plans by it.
fn observed(message: &str, annotation: &str) -> bool {
    let job = json!({
        "metadata": {
            "name": "iris-train", "uid": "job-uid",
            "labels": {"mlpipeline.dev/step": "train", "mlpipeline.dev/revision": "0123456789ab", "mlpipeline.dev/attempt": "2"},
            "annotations": {
                "mlpipeline.dev/fingerprint": annotation, "mlpipeline.dev/settings": annotation, "mlpipeline.dev/report": annotation,
            },
        },
        "spec": {},
        "status": {"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]},
    });
    let ended = json!({"exitCode": 0, "reason": "Completed", "message": message, "startedAt": "2026-11-20T09:59:00Z", "finishedAt": "2026-11-20T10:00:00Z"});
    let pod = json!({
        "metadata": {
            "name": "iris-train-x", "labels": {"mlpipeline.dev/step": "train"},
            "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "iris-train", "uid": "job-uid", "controller": true}],
        },
        "status": {"phase": "Succeeded", "containerStatuses": [{
            "name": "step", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": {"terminated": ended},
        }]},
    });
    let snapshot = Snapshot {
        jobs: vec![Arc::new(object(job))],
        pods: vec![Arc::new(object(pod))],
        ..Snapshot::default()
    };
    let found = read(&snapshot);
    let runs: Vec<_> = found.steps.values().flat_map(|step| &step.runs).collect();
    for run in &runs {
        let again = run.report.as_ref().map(StepReport::to_json);
        assert!(again.is_none_or(|json| json.len() <= REPORT_LIMIT));
        assert!(run.pending_report.as_ref().is_none_or(|text| text.len() <= REPORT_LIMIT));
    }
    let is_read = runs.iter().any(|run| run.report.is_some());
    let valid = validate(&pipeline()).expect("it makes sense");
    let planned = plan(&valid, &found, "2026-11-20T10:00:00Z".parse().expect("a time"), Schedules::Keep);
    for step in &planned.steps {
        assert!(step.reason.to_string().len() < LONGEST, "{}", step.reason);
    }
    is_read
}
