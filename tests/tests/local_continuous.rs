//! Continuous steps on a laptop: `local` keeps a process at work for each, and files flow through them.
#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod laptop;

use std::fs;
use std::path::Path;

use laptop::{Laptop, processes, wait_until};

const CHAIN: &str = "
apiVersion: mlpipeline.dev/v1alpha1
kind: MLPipeline
metadata: {name: listings}
spec:
  steps:
    - name: csv
      prepare: {inputs: [{name: lines, uri: 'file:inbox/*.txt', pattern: '^n=(?<n>[0-9]+)$'}], output: {format: csv}, continuous: {pollInterval: 1s}}
    - name: large
      prepare: {inputs: [{name: files, step: csv}], sql: SELECT n FROM files WHERE n > 1, output: {format: ndjson}, continuous: {pollInterval: 1s}}
";

/// The texts of the files in a folder but the hidden ones, sorted.
fn texts(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("an entry"));
    let files = entries.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
    let files = files.map(|entry| entry.path());
    let mut texts: Vec<String> = files.filter_map(|path| fs::read_to_string(path).ok()).collect();
    texts.sort();
    texts
}

#[test]
fn files_flow_through_continuous_steps_until_local_is_stopped() {
    let laptop = Laptop::new();
    laptop.write("pipeline.yaml", CHAIN);
    let volume = laptop.path().join(".mlpipeline/volume");
    let published = volume.join("default/listings/large/published");
    let mut local = laptop.start(&[]);
    wait_until("the inbox", || volume.join("inbox").is_dir());
    for number in [1, 2] {
        let hidden = volume.join(format!("inbox/.{number}"));
        fs::write(&hidden, format!("n={number}\nn=1{number}\n")).expect("a file");
        fs::rename(&hidden, volume.join(format!("inbox/{number}.txt"))).expect("renamed");
        let count = number;
        wait_until("its rows", || texts(&published).len() == count);
    }
    assert_eq!(texts(&published), ["{\"n\":11}\n", "{\"n\":2}\n{\"n\":12}\n"]);
    local.kill();
    local.end();
    wait_until("all workers to end", || processes(&volume.display().to_string()).is_empty());
}
