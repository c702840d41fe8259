//! How a step is handed over: in a version that the worker reads, however long it is. What operators of those versions write is in
//! `recorded_steps.rs`.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use mlpipeline_crds::{STEP_SPEC_VERSION, StepReport, StepSpec};
use serde_json::json;
use support::{Volume, input, prepare, worker};

#[test]
fn other_versions_are_refused_and_so_are_fields_that_a_version_does_not_have() {
    let volume = Volume::new();
    volume.put("in.csv", "a\n1\n");
    for version in [0, u64::from(STEP_SPEC_VERSION) + 1] {
        let mut spec = prepare(input("file:in.csv"), None);
        spec["version"] = json!(version);
        volume.step(&spec, &[]).fails(
            2,
            "SpecVersion",
            &[&format!("version {version}"), &format!("reads versions 1 to {STEP_SPEC_VERSION}")],
        );
    }
    let mut spec = prepare(input("file:in.csv"), None);
    spec["action"]["prepare"]["inputs"][0]["source"]["uri"]["reading"] = json!({"delimiter": ";"});
    volume.step(&spec, &[]).fails(2, "SpecInvalid", &["has version 1", "fields of version 2"]);
    spec["version"] = json!(2);
    volume.step(&spec, &[]).succeeds();
    spec["action"]["prepare"]["delivery"] = json!({"uri": "http://127.0.0.1/", "concurrentRequests": 2});
    volume.step(&spec, &[]).fails(2, "SpecInvalid", &["has version 2", "fields of version 3"]);
    let mut spec = prepare(input("file:in.csv"), None);
    spec["version"] = json!(3);
    spec["action"] = json!({"train": {
        "data": {"uri": {"uri": "file:in.csv"}}, "target": "a", "algorithm": {"linearRegression": {}}, "groupBy": "b",
    }});
    volume.step(&spec, &[]).fails(2, "SpecInvalid", &["has version 3", "fields of version 4"]);
}

#[test]
fn a_step_longer_than_one_argument_may_be_comes_in_several() {
    let volume = Volume::new();
    volume.put("in.csv", "a\n1\n");
    let long = format!("SELECT a, '{}' AS text FROM t", "$(x) é-@".repeat(40_000));
    let spec: StepSpec = serde_json::from_value(prepare(input("file:in.csv"), Some(&long))).expect("a step");
    let arguments = spec.to_arguments().expect("arguments");
    assert!(arguments.len() > 2);
    let report = volume.path().join("report.json");
    let (storage, report_path) = (volume.path().display().to_string(), report.display().to_string());
    let mut all = vec!["step", "--storage", &storage, "--report", &report_path];
    all.extend(arguments.iter().map(String::as_str));
    let output = worker(&all).output().expect("the worker runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(report).expect("a report");
    assert_eq!(StepReport::from_json(&text).expect("a report").rows, Some(1));
}
