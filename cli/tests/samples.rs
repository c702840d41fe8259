//! Every pipeline among the samples is valid.
#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod program;

use std::fs;
use std::path::{Path, PathBuf};

use program::Folder;

fn manifests(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            manifests(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path);
        }
    }
}

#[test]
fn every_sample_is_valid() {
    let mut files = Vec::new();
    manifests(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/samples"), &mut files);
    assert!(files.len() >= 6, "{files:?}");
    let arguments: Vec<&str> = files.iter().map(|file| file.to_str().expect("UTF-8")).collect();
    let answer = Folder::new().call(&[&["validate"], arguments.as_slice()].concat());
    assert_eq!(answer.code, 0, "{}", answer.stderr);
}
