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
