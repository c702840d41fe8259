//! Artifacts that somebody replaces on the volume, each whole with a manifest of its own: a step that knows their digests refuses
//! them.

use mlpipeline_crds::{DIGESTS_VERSION, Digest, Revision};
use serde_json::{Value, json};

use crate::steps::{iris, published, score, step, train, with_data};
use crate::support::{Ended, Volume};

/// Makes data.csv the dataset of the step `data`.
fn prepare(volume: &Volume) -> Ended {
    let input = json!({"name": "t", "source": {"uri": {"uri": "file:data.csv"}}});
    volume.step(&step("data", json!({"prepare": {"inputs": [input], "format": "csv"}})), &[])
}

fn digest(ended: &Ended) -> Digest {
    ended.succeeds().report.digest.clone().expect("a digest")
}

fn place(step: &str) -> String {
    format!("ns/pipe/{step}/{}", Revision::of(&[step]))
}

/// Learns from the dataset of this digest.
fn learn(digest: Option<&Digest>) -> Value {
    let mut spec = train(json!({}));
    spec["action"]["train"]["data"] = json!({"artifact": {"path": place("data")}});
    if let Some(digest) = digest {
        spec["action"]["train"]["data"]["artifact"]["digest"] = json!(digest);
    }
    spec
}

/// Puts the artifact of a step of another volume in the place of this one's.
fn swap(volume: &Volume, other: &Volume, step: &str) {
    let (target, source) = (published(volume, step), published(other, step));
    std::fs::remove_dir_all(&target).expect("removed");
    std::fs::create_dir(&target).expect("a folder");
    for entry in std::fs::read_dir(source).expect("a folder") {
        let path = entry.expect("an entry").path();
        std::fs::copy(&path, target.join(path.file_name().expect("a name"))).expect("copied");
    }
}

/// The Iris data with the classes exchanged.
fn poisoned() -> String {
    iris().replace("setosa", "SETOSA").replace("virginica", "setosa").replace("SETOSA", "virginica")
}

#[test]
fn a_dataset_that_was_swapped_together_with_its_manifest_is_refused() {
    let (volume, other) = (with_data(&iris()), with_data(&poisoned()));
    let (reported, theirs) = (digest(&prepare(&volume)), digest(&prepare(&other)));
    volume.step(&learn(Some(&reported)), &[]).succeeds();
    std::fs::remove_dir_all(published(&volume, "train")).expect("removed");
    swap(&volume, &other, "data");
    let parts = ["/ns/pipe/data/", reported.as_str(), theirs.as_str(), "rerun token of step \"data\""];
    volume.step(&learn(Some(&reported)), &[]).fails(3, "ArtifactReplaced", &parts);
    assert!(!published(&volume, "train").exists());
    // Without the digest nobody can tell.
    volume.step(&learn(None), &[]).succeeds();
}

#[test]
fn rows_that_were_swapped_below_their_manifest_are_refused() {
    let volume = with_data(&iris());
    let reported = digest(&prepare(&volume));
    let rows = published(&volume, "data").join("data.csv");
    let text = std::fs::read_to_string(&rows).expect("rows");
    // Of the same length, so that only the content gives it away.
    std::fs::write(&rows, text.replacen("5.1", "9.1", 1)).expect("written");
    volume.step(&learn(Some(&reported)), &[]).fails(
        3,
        "ArtifactDamaged",
        &["data.csv has sha256", "instead of"],
    );
}

#[test]
fn a_dataset_that_has_lost_its_manifest_is_not_read_as_loose_files() {
    let volume = with_data(&iris());
    let reported = digest(&prepare(&volume));
    std::fs::remove_file(published(&volume, "data").join("manifest.json")).expect("removed");
    volume.step(&learn(Some(&reported)), &[]).fails(4, "ArtifactMissing", &["no artifact at"]);
}

#[test]
fn a_manifest_that_reports_the_digest_of_other_files_is_damaged() {
    let (volume, other) = (with_data(&iris()), with_data(&poisoned()));
    let (reported, theirs) = (digest(&prepare(&volume)), digest(&prepare(&other)));
    swap(&volume, &other, "data");
    let manifest = published(&volume, "data").join("manifest.json");
    let text = std::fs::read_to_string(&manifest).expect("a manifest");
    std::fs::write(&manifest, text.replace(theirs.as_str(), reported.as_str())).expect("written");
    volume.step(&learn(None), &[]).fails(3, "ArtifactDamaged", &["reports a digest"]);
}

#[test]
fn a_model_that_was_swapped_together_with_its_manifest_neither_scores_nor_is_compared_with() {
    let (volume, other) = (with_data(&iris()), with_data(&poisoned()));
    let reported = digest(&volume.step(&train(json!({})), &[]));
    digest(&other.step(&train(json!({})), &[]));
    let mut scored = score("file:data.csv", "csv");
    scored["action"]["score"]["modelDigest"] = json!(reported);
    volume.step(&scored, &[]).succeeds();
    std::fs::remove_dir_all(published(&volume, "score")).expect("removed");
    swap(&volume, &other, "train");
    volume.step(&scored, &[]).fails(
        3,
        "ArtifactReplaced",
        &["/ns/pipe/train/", "rerun token of step \"train\""],
    );

    let baseline = json!({"revision": Revision::of(&["train"]), "path": place("train"), "digest": reported});
    let mut again = train(json!({"baseline": baseline, "split": {"test": 0.2}}));
    again["revision"] = json!({"fixed": Revision::of(&["again"])});
    let ended = volume.step(&again, &[]);
    assert!(ended.succeeds().message().contains("is not the one that its step reported"), "{ended:?}");
    let baseline = ended.report.baseline.as_ref().expect("it was asked for");
    assert!(baseline.metrics.is_empty(), "a gate has nothing to compare with: {baseline:?}");
}

#[test]
fn a_worker_says_which_steps_it_reads() {
    let volume = with_data(&iris());
    for ended in [prepare(&volume), prepare(&volume)] {
        assert!(ended.succeeds().report.step_version >= Some(DIGESTS_VERSION), "{ended:?}");
    }
    let manifest = std::fs::read_to_string(published(&volume, "data").join("manifest.json")).expect("read");
    assert!(!manifest.contains("stepVersion"), "{manifest}");
}
