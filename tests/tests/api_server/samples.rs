//! Every MLPipeline that we show is one that the API server takes.

use std::path::{Path, PathBuf};

use mlpipeline_tests::control_plane::ControlPlane;
use mlpipeline_tests::programs::repository;
use serde_json::Value;

use super::pipelines::Pipelines;

/// All YAML files in a folder and the folders in it.
fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let files = entries.map(|entry| entry.unwrap().path()).flat_map(|path| match path.is_dir() {
        true => yaml_files(&path),
        false => vec![path],
    });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")).collect()
}

#[tokio::test]
async fn every_sample_is_admitted() {
    let control_plane = ControlPlane::shared().await;
    let namespace = control_plane.namespace("samples").await;
    let pipelines = Pipelines::new(control_plane.client().await, namespace.name());
    let mut tried = 0;
    for file in yaml_files(&repository().join("deploy/samples")) {
        let text = std::fs::read_to_string(&file).unwrap();
        let documents: Vec<Value> =
            serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for document in documents.iter().filter(|document| document["kind"] == "MLPipeline") {
            let answer = pipelines.would_create(&document["spec"]).await;
            answer.unwrap_or_else(|refusal| panic!("{}: {}", file.display(), refusal.message));
            tried += 1;
        }
    }
    assert!(tried > 0, "no MLPipeline in deploy/samples");
}
