//! How large a pipeline may be. The bounds of single fields let a pipeline of 64 steps grow beyond the 1.5 MiB that etcd takes,
//! as for every object of Kubernetes: that is the API server's limit, and below it no rule's cost stands in the way. A spec of
//! 700,000 bytes, whatever is in it, has room for the longest status and for the record of which field is whose. The operator refuses
//! one that is larger than 512 KiB, in the status.

use mlpipeline_tests::control_plane::ControlPlane;
use serde_json::{Value, json};

use super::pipelines::Pipelines;

/// Specs are filled up to this many bytes of JSON.
const LARGE: usize = 700_000;
const STEPS: usize = 64;

/// As many items as `count`, each made from its number.
fn list(count: usize, make: impl Fn(usize) -> Value) -> Value {
    (0..count).map(make).collect()
}

/// A text of any length, as annotations that are as long as they may be.
fn notes(text: &str) -> Value {
    let parts = text.as_bytes().chunks(4096).map(String::from_utf8_lossy);
    parts.enumerate().map(|(at, part)| (format!("n{at}"), json!(part))).collect()
}

/// Lists are as long as they may be: rules that look at every item cost the most.
fn prepare(number: usize, text: &str) -> Value {
    let input =
        |at: usize| json!({"name": format!("input_{at}"), "uri": format!("file:{at}"), "format": "csv"});
    let check = |at: usize| json!({"column": format!("c{at}"), "notNull": true});
    json!({
        "name": name(number),
        "prepare": {"inputs": list(16, input), "sql": "SELECT 1", "checks": list(64, check)},
        "after": list(64.min(number), |at| json!(name(at))),
        "pod": {"annotations": notes(text)},
    })
}

fn train(number: usize, text: &str) -> Value {
    let column = |at: usize| json!(format!("c{at}"));
    json!({
        "name": name(number),
        "train": {
            "data": {"uri": "file:x", "columns": list(1024, column)}, "features": list(1024, column),
            "target": "label", "algorithm": {"linearRegression": {}}, "gate": {"metric": "r2", "min": 0.5},
        },
        "pod": {"annotations": notes(text)},
    })
}

fn run(number: usize, text: &str) -> Value {
    let volume = |at: usize| json!({"name": format!("v{at}"), "emptyDir": {}});
    let mount = |at: usize| json!({"name": format!("v{at}"), "mountPath": format!("/v{at}")});
    let port = |at: usize| json!({"name": format!("p{at}"), "port": at + 1, "service": "NodePort", "nodePort": 30000 + at});
    let input = |at: usize| json!({"name": format!("i{at}"), "step": name(at)});
    json!({
        "name": name(number),
        "run": {"image": "i", "ports": list(16, port), "inputs": list(16, input)},
        "pod": {
            "volumes": list(16, volume), "mounts": list(16, mount), "annotations": notes(text),
            "env": list(64, |at| json!({"name": format!("V{at}"), "value": "x"})),
        },
    })
}

/// The longest name that a step may have.
fn name(number: usize) -> String {
    format!("step-{number:0>35}")
}

/// A pipeline of 64 steps that share out `bytes` of JSON.
fn large(make: fn(usize, &str) -> Value, bytes: usize) -> Value {
    let fill = |text: &str| -> Value { json!({"steps": list(STEPS, |number| make(number, text))}) };
    let bare = fill("").to_string().len();
    fill(&"x".repeat(bytes.saturating_sub(bare) / STEPS))
}

/// As much as the schema lets a status say.
fn longest_status() -> Value {
    let metrics =
        || -> Value { (0..32).map(|at| (format!("metric{at:02}"), json!(0.123_456_789_012))).collect() };
    let time = "2026-11-20T00:00:00Z";
    let step = |at: usize| {
        json!({
            "name": name(at), "kind": "train", "state": "Failed", "revision": "r".repeat(64),
            "workload": "w".repeat(300), "started": time, "finished": time, "attempts": 100,
            "message": "m".repeat(1024), "metrics": metrics(),
        })
    };
    let model = |at: usize| {
        json!({
            "step": name(at), "revision": "r".repeat(64), "serving": true, "gate": "Rejected",
            "message": "m".repeat(512), "metrics": metrics(), "digest": "d".repeat(64), "trained": time,
        })
    };
    json!({"observedGeneration": 1, "endpoint": "e".repeat(512), "steps": list(STEPS, step), "models": list(16, model)})
}

#[tokio::test]
async fn the_largest_pipelines_are_admitted() {
    let control_plane = ControlPlane::shared().await;
    let namespace = control_plane.namespace("crd-large").await;
    let pipelines = Pipelines::new(control_plane.client().await, namespace.name());
    for (name, make) in [("prepare", prepare as fn(usize, &str) -> Value), ("train", train), ("run", run)] {
        let spec = large(make, LARGE);
        assert!(
            spec.to_string().len() > LARGE * 99 / 100,
            "the {name} pipeline is not as large as it is to be"
        );
        let applied = pipelines.apply(name, &spec).await;
        let applied = applied.unwrap_or_else(|refusal| panic!("{name}: {}", refusal.message));
        assert_eq!(applied["spec"], spec);
        let status = pipelines.apply_status(name, &longest_status()).await;
        let status = status.unwrap_or_else(|refusal| panic!("the status of {name}: {}", refusal.message));
        assert_eq!(status["status"], longest_status());
    }
}

#[tokio::test]
async fn a_pipeline_beyond_what_etcd_takes_is_refused_with_a_reason() {
    let control_plane = ControlPlane::shared().await;
    let namespace = control_plane.namespace("crd-too-large").await;
    let pipelines = Pipelines::new(control_plane.client().await, namespace.name());
    let spec = large(run, 1_700_000);
    let refusal = pipelines.create("too-large", &spec).await.expect_err("1.7 MB in etcd");
    assert!(refusal.message.contains("too large"), "{refusal:?}");
}
