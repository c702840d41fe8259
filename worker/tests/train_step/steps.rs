//! The steps of these tests, and the data that they work on.

use std::path::PathBuf;

use mlpipeline_crds::Revision;
use serde_json::{Value, json};

use crate::support::{Ended, Volume};

/// The Iris data that the crash course uses.
pub fn iris() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/samples/crash-course/data/iris.csv");
    std::fs::read_to_string(path).expect("the Iris data")
}

pub fn step(name: &str, action: Value) -> Value {
    json!({
        "version": mlpipeline_crds::STEP_SPEC_VERSION, "namespace": "ns", "pipeline": "pipe", "step": name,
        "revision": {"fixed": Revision::of(&[name])}, "action": action,
    })
}

/// A train step on data.csv with further fields.
pub fn train(fields: Value) -> Value {
    let mut action = json!({
        "data": {"uri": {"uri": "file:data.csv"}},
        "target": "species",
        "algorithm": {"logisticRegression": {}},
    });
    for (name, value) in fields.as_object().expect("fields") {
        action[name] = value.clone();
    }
    step("train", json!({"train": action}))
}

pub fn score(input: &str, format: &str) -> Value {
    let model = format!("ns/pipe/train/{}", Revision::of(&["train"]));
    step("score", json!({"score": {"model": model, "input": {"uri": {"uri": input}}, "format": format}}))
}

pub fn published(volume: &Volume, step: &str) -> PathBuf {
    volume.path().join(format!("ns/pipe/{step}/{}", Revision::of(&[step])))
}

/// What the train step's `metrics.json` has.
pub fn evaluation(volume: &Volume) -> Value {
    let path = published(volume, "train").join("metrics.json");
    serde_json::from_slice(&std::fs::read(path).expect("metrics.json")).expect("JSON")
}

/// A volume with data.csv.
pub fn with_data(content: &str) -> Volume {
    let volume = Volume::new();
    volume.put("data.csv", content);
    volume
}

#[track_caller]
pub fn metric(ended: &Ended, name: &str) -> f64 {
    *ended.report.metrics.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", ended.report.metrics))
}
