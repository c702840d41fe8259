//! A volume on which somebody else writes what no worker would: pipes and links in the place of files.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use mlpipeline_crds::Revision;
use serde_json::json;
use support::{Volume, input, prepare};

fn make_pipe(path: &Path) {
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo runs").success());
}

#[test]
fn pipes_in_the_place_of_a_manifest_and_of_a_lock_keep_nobody_waiting() {
    let volume = Volume::new();
    volume.put("in.csv", "a\n1\n");
    let revision = Revision::of(&["test"]).to_string();
    make_pipe(&volume.step_folder().join(&revision).join("manifest.json"));
    make_pipe(&volume.step_folder().join(".draft-0123456789abcdef.lock"));
    volume.step(&prepare(input("file:in.csv"), None), &[]).succeeds();
    // What was in the way of the result was moved aside.
    let names = volume.names();
    assert!(names.iter().any(|name| name.starts_with(".damaged-")), "{names:?}");
}

#[test]
fn a_link_in_the_place_of_a_lock_or_a_manifest_is_not_followed() {
    let volume = Volume::new();
    volume.put("in.csv", "a\n1\n");
    let revision = Revision::of(&["test"]).to_string();
    let folder = volume.step_folder().join(&revision);
    std::fs::create_dir_all(&folder).expect("a folder");
    symlink("/proc/self/environ", folder.join("manifest.json")).expect("a link");
    let elsewhere = volume.path().join("elsewhere");
    symlink(&elsewhere, volume.step_folder().join(".publish.lock")).expect("a link");
    volume.step(&prepare(input("file:in.csv"), None), &[]).fails(4, "StorageUnavailable", &[".publish.lock"]);
    assert!(!elsewhere.exists());
}

#[test]
fn files_of_a_run_step_that_lead_out_of_the_volume_are_refused() {
    let volume = Volume::new();
    for (name, target) in [("link.csv", "/proc/self/environ"), ("link.ndjson", "/etc/passwd")] {
        let folder = volume.path().join("ns/pipe/run/0123456789ab");
        std::fs::create_dir_all(&folder).expect("a folder");
        symlink(target, folder.join(name)).expect("a link");
        let source = json!([{"name": "t", "source": {"artifact": {"path": "ns/pipe/run/0123456789ab"}}}]);
        volume.step(&prepare(source, None), &[]).fails(2, "PathRefused", &["leaves the storage folder"]);
        std::fs::remove_file(folder.join(name)).expect("removed");
    }
}

/// A folder that is published as a model, with this file in the place of the model's.
fn model_of(volume: &Volume, name: &str, content: &[u8]) {
    let folder = "ns/pipe/train/0123456789ab";
    volume.put(&format!("{folder}/{name}"), content);
    let entry = json!({"size": content.len(), "sha256": mlpipeline_crds::Digest::of(content)});
    let manifest = json!({
        "formatVersion": 1, "kind": "model", "files": {(name): entry}, "report": {"outcome": "succeeded"},
    });
    volume.put(&format!("{folder}/manifest.json"), manifest.to_string());
}

#[test]
fn model_formats_that_run_code_or_lead_to_other_files_are_refused() {
    let pickle =
        b"\x80\x04\x95\x1d\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.";
    // The protobuf of an ONNX model whose weights are "external data" at a location of its choice.
    let onnx = b"\x08\x08\x12\x04onnx:\x1f\x0a\x1dlocation\x12\x15../../../../etc/passwd";
    let leading = json!({
        "formatVersion": 1, "location": "/etc/passwd", "externalData": "../../../etc/passwd", "algorithm": "logisticRegression",
    });
    for (what, content) in [
        ("pickle", pickle.to_vec()),
        ("ONNX", onnx.to_vec()),
        ("zip", b"PK\x03\x04".to_vec()),
        ("JSON", leading.to_string().into_bytes()),
    ] {
        let volume = Volume::new();
        model_of(&volume, "model.json", &content);
        let spec = json!({
            "version": 1, "namespace": "ns", "pipeline": "pipe", "step": "api", "revision": {"fixed": "0123456789ab"},
            "action": {"serve": {"model": "ns/pipe/train/0123456789ab"}},
        });
        let ended = volume.step(&spec, &["--listen", "127.0.0.1:0"]);
        ended.fails(3, "ModelInvalid", &[]);
        assert!(!ended.stderr.contains("root:"), "{what}: {}", ended.stderr);
    }
    // A manifest that lists a file elsewhere makes none of its folder's.
    let volume = Volume::new();
    model_of(&volume, "model.json", b"{}");
    let manifest = volume.path().join("ns/pipe/train/0123456789ab/manifest.json");
    let text = std::fs::read_to_string(&manifest).expect("a manifest");
    std::fs::write(&manifest, text.replace("\"model.json\"", "\"../../../../etc/passwd\"")).expect("written");
    let spec = json!({
        "version": 1, "namespace": "ns", "pipeline": "pipe", "step": "api", "revision": {"fixed": "0123456789ab"},
        "action": {"serve": {"model": "ns/pipe/train/0123456789ab"}},
    });
    volume.step(&spec, &["--listen", "127.0.0.1:0"]).fails(3, "ArtifactDamaged", &["not a plain file name"]);
}
