//! What workers of earlier versions left on volumes is read.
//!
//! `data/storage/vN` is a volume as the worker left it that wrote version N of the manifest, and `data/storage/model-vN` as the one
//! left it that wrote version N of the model; users' volumes hold such files. They
//! are never changed. Where a test here fails, the code is to be changed: a new version of a format gets a reader of its own beside
//! those of the earlier ones, and, once it is written, a folder of its own here.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use mlpipeline_worker::artifact::{self, Kind, MANIFEST_NAME, MANIFEST_VERSION, Manifest};
use mlpipeline_worker::model::{MODEL_FILE, MODEL_VERSION, Model};
use serde_json::{Value, json};
use support::Volume;

/// The versions of models that are written: each model has the earliest that has all that is in it.
const WRITTEN_MODELS: std::ops::RangeInclusive<u64> = 2..=MODEL_VERSION;

/// All artifacts of all versions, with their folders.
fn artifacts() -> Vec<(PathBuf, Manifest)> {
    let mut folders = vec![support::recorded("storage")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        if folder.join(MANIFEST_NAME).exists() {
            let manifest = artifact::read(&folder).unwrap_or_else(|error| panic!("{error}"));
            found.push((folder, manifest));
            continue;
        }
        let entries = std::fs::read_dir(folder).expect("a folder");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        folders.extend(paths.filter(|path| path.is_dir()));
    }
    found
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The version that a JSON file names.
fn version(path: &Path, key: &str) -> u64 {
    let file: Value = serde_json::from_slice(&read(path)).expect("JSON");
    file[key].as_u64().expect("a version")
}

#[test]
fn every_recorded_artifact_is_read_with_its_report_and_is_whole() {
    let artifacts = artifacts();
    let mut kinds = BTreeSet::new();
    for (folder, manifest) in &artifacts {
        artifact::verify(folder, manifest).unwrap_or_else(|error| panic!("{error}"));
        let name = folder.file_name().and_then(|name| name.to_str());
        assert_eq!(manifest.report.revision.as_ref().map(mlpipeline_crds::Revision::as_str), name);
        assert_eq!(manifest.report.digest, Some(manifest.digest()));
        kinds.insert(match manifest.kind {
            Kind::Dataset => "dataset",
            Kind::Model => "model",
            Kind::Predictions => "predictions",
        });
    }
    assert_eq!(kinds.len(), 3, "one artifact of each kind is recorded");
    let reports = || artifacts.iter().map(|(_, manifest)| &manifest.report);
    assert!(reports().any(|report| report.baseline.is_some() && report.gate.is_some()));
    assert!(reports().any(|report| report.message.is_some()));
}

/// A new version of a format is recorded in the change that brings it: run the steps with the new worker on a copy of the newest
/// folder, without its artifacts, and add what it leaves as a folder beside it.
#[test]
fn the_newest_versions_are_recorded() {
    let artifacts = artifacts();
    let manifests = artifacts.iter().map(|(folder, _)| version(&folder.join(MANIFEST_NAME), "formatVersion"));
    assert_eq!(manifests.collect::<BTreeSet<_>>(), (1..=MANIFEST_VERSION).collect());
    let models = artifacts.iter().map(|(folder, _)| folder.join(MODEL_FILE)).filter(|path| path.exists());
    let models = models.map(|path| version(&path, "version"));
    assert_eq!(models.collect::<BTreeSet<_>>(), (1..=MODEL_VERSION).collect());
}

/// Workers of this version read each other's files, of other releases too. A field that comes, goes or changes needs a new version.
#[test]
fn what_is_written_changes_only_with_the_version() {
    for (folder, _) in artifacts() {
        let path = folder.join(MODEL_FILE);
        if path.exists() && WRITTEN_MODELS.contains(&version(&path, "version")) {
            let model = Model::from_bytes(&read(&path)).expect("a model");
            let written = String::from_utf8(model.to_bytes().expect("bytes")).expect("text");
            assert_eq!(written, String::from_utf8(read(&path)).expect("text"), "{}", path.display());
        }
    }
    let volume = Volume::recorded(&format!("v{MANIFEST_VERSION}"));
    let folder = volume.path().join("ml/iris/data/0d0000000001");
    let before = String::from_utf8(read(&folder.join(MANIFEST_NAME))).expect("text");
    std::fs::remove_dir_all(&folder).expect("removed");
    let ended = volume.step(
        &step(
            "data",
            "0d0000000001",
            json!({"prepare": {
                "inputs": [{"name": "iris", "source": {"uri": {"uri": "file:in/iris.csv"}}}],
                "sql": "SELECT *, petal_width > 1.0 AS wide FROM iris",
                "format": "csv",
            }}),
        ),
        &[],
    );
    ended.succeeds();
    assert_eq!(String::from_utf8(read(&folder.join(MANIFEST_NAME))).expect("text"), before);
}

fn step(name: &str, revision: &str, action: Value) -> Value {
    json!({
        "version": 1, "namespace": "ml", "pipeline": "iris", "step": name,
        "revision": {"fixed": revision}, "action": action,
    })
}

#[test]
fn recorded_models_predict_what_they_predicted_then() {
    let artifact = |path: &str| json!({"artifact": {"path": format!("ml/iris/{path}")}});
    let file = |path: &str| json!({"uri": {"uri": format!("file:{path}")}});
    let (scored, widths) = ("scored/0d0000000005/data.csv", "widths/0d0000000006/data.ndjson");
    let cases = [
        ("v1", "train/0d0000000003", artifact("data/0d0000000001"), "csv", scored),
        ("v1", "width/0d0000000004", artifact("parquet/0d0000000002"), "ndjson", widths),
        ("model-v2", "train/0d0000000003", file("in/iris.csv"), "csv", scored),
        ("model-v2", "width/0d0000000004", file("in/iris.csv"), "ndjson", widths),
        ("model-v2", "rent/0d0000000007", file("in/flats.csv"), "csv", "rents/0d0000000008/data.csv"),
        ("model-v3", "groups/0d0000000003", file("in/iris.csv"), "csv", "grouped/0d0000000004/data.csv"),
    ];
    for (volume, model, input, format, recorded) in cases {
        let volume = Volume::recorded(volume);
        let action = json!({"score": {
            "model": format!("ml/iris/{model}"),
            "input": input,
            "format": format,
        }});
        volume.step(&step("again", "0d0000000009", action), &[]).succeeds();
        let folder = volume.path().join("ml/iris/again/0d0000000009");
        let found = String::from_utf8(read(&folder.join(format!("data.{format}")))).expect("text");
        let expected = String::from_utf8(read(&volume.path().join("ml/iris").join(recorded))).expect("text");
        assert_eq!(found.lines().count(), 30 + usize::from(format == "csv"));
        assert_same_values(&found, &expected);
    }
}

/// Compares tables value by value. Numbers may differ in the last digits, since the exponential function does between processors.
#[track_caller]
fn assert_same_values(found: &str, expected: &str) {
    let values = |text: &str| text.split([',', ':', '{', '}', '\n']).map(str::to_owned).collect::<Vec<_>>();
    let (found, expected) = (values(found), values(expected));
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        match (found.parse::<f64>(), expected.parse::<f64>()) {
            (Ok(found), Ok(expected)) => assert!((found - expected).abs() < 1e-12, "{found} {expected}"),
            _ => assert_eq!(found, expected),
        }
    }
}
