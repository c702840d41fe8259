//! The steps of these tests, and what is in their folders.

use std::path::{Path, PathBuf};

use mlpipeline_crds::Revision;
use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::support::Volume;

/// A step that takes files as they come.
pub fn step(name: &str, uri: &str, format: &str) -> Value {
    json!({
        "version": 1, "namespace": "ns", "pipeline": "pipe", "step": name,
        "revision": {"fixed": Revision::of(&[name])},
        "action": {"prepare": {
            "inputs": [{"name": "t", "source": {"uri": {"uri": uri}}}], "format": format,
            "continuous": {"pollSeconds": 1, "keep": 2},
        }},
    })
}

/// A step that reads lines like `n=1`.
pub fn lines(name: &str) -> Value {
    let mut spec = step(name, "file:inbox/*.txt", "csv");
    spec["action"]["prepare"]["inputs"][0]["source"]["uri"]["pattern"] = "^n=(?<n>[0-9]+)$".into();
    spec
}

/// A step that posts what another publishes.
pub fn posts(name: &str, from: &str, receiver: &Receiver) -> Value {
    let mut spec = step(name, &format!("file:ns/pipe/{from}/published/*"), "parquet");
    spec["action"]["prepare"]["delivery"] = json!({"uri": receiver.url()});
    spec
}

/// Names in a folder of a step, hidden ones left out, sorted.
pub fn names(volume: &Volume, folder: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(volume.path().join("ns/pipe").join(folder))
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

/// The texts of a folder's files, sorted.
pub fn texts(volume: &Volume, folder: &str) -> Vec<String> {
    let path = volume.path().join("ns/pipe").join(folder);
    let mut texts: Vec<String> = names(volume, folder)
        .iter()
        .map(|name| std::fs::read_to_string(path.join(name)).expect("a file"))
        .collect();
    texts.sort();
    texts
}

/// Puts a file where steps look for it, in one step.
pub fn drop_file(volume: &Volume, name: &str, text: &str) -> PathBuf {
    let hidden = volume.put(&format!("inbox/.{name}"), text);
    let path = volume.path().join("inbox").join(name);
    std::fs::rename(hidden, &path).expect("renamed");
    path
}

/// A CSV file of one column.
pub fn rows(numbers: impl IntoIterator<Item = u32>) -> String {
    numbers.into_iter().fold("n\n".to_owned(), |text, number| format!("{text}{number}\n"))
}

/// What the last worker said.
pub fn log(volume: &Path) -> String {
    std::fs::read_to_string(volume.join("log")).unwrap_or_default()
}
