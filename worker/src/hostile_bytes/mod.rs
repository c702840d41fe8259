//! Bytes from elsewhere, changed at random: whatever they are, the answer is a value or an error for people, never a panic and
//! never an error of this program.
//!
//! Each test begins with good files of every kind and changes them. `make fuzz` tries thousands of times as many as `make test`.

mod answers;
mod change;
mod good_files;

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use futures::StreamExt;
use mlpipeline_crds::{DataSource, ExitCode, Format, StepReport, StepSpec};
use ndarray::Array2;
use proptest::prelude::*;

use self::change::{apply, change, changed};
use self::good_files::{ModelFiles, contents, models, ones, onnx_files, steps, tables};
use crate::WorkContext;
use crate::artifact::{self, MANIFEST_NAME, Storage};
use crate::context::ContextSettings;
use crate::credentials::Secrets;
use crate::failure::StepError;
use crate::import::inspect;
use crate::model::{Model, ModelError, Predictions};
use crate::network::Network;
use crate::onnx::Graph;
use crate::preprocess::Texts;
use crate::progress::Progress;
use crate::serve::{RowFeatures, read_rows};
use crate::table;

fn context(root: &Path) -> WorkContext {
    context_of(root, Network::default(), Secrets::default())
}

fn context_of(root: &Path, network: Network, secrets: Secrets) -> WorkContext {
    WorkContext::new(ContextSettings {
        storage: Storage::new(root),
        scratch: root.to_owned(),
        memory_limit: 256 << 20,
        network,
        progress: Progress::Silent,
        secrets,
    })
    .expect("a context")
}

/// Reads all rows of a file as a step reads them.
async fn read_table(name: &str, pattern: Option<&str>, context: &WorkContext) -> Result<usize, StepError> {
    let source = source_of(format!("file:{name}"), pattern.map(|_| Format::Text), pattern);
    read_source(&source, context).await
}

fn source_of(uri: String, format: Option<Format>, pattern: Option<&str>) -> DataSource {
    DataSource::Uri {
        uri,
        format,
        columns: Vec::new(),
        pattern: pattern.map(str::to_owned),
        on_mismatch: None,
        reading: None,
        sha256: None,
        credentials: None,
    }
}

async fn read_source(source: &DataSource, context: &WorkContext) -> Result<usize, StepError> {
    let frame = table::open(source, "t", context).await?;
    let mut rows = frame.execute_stream().await.map_err(|error| crate::engine::query_error(&error))?;
    let mut count = 0;
    while let Some(batch) = rows.next().await {
        count += batch.map_err(|error| crate::engine::query_error(&error))?.num_rows();
    }
    Ok(count)
}

proptest! {
    #[test]
    fn a_changed_table_gives_rows_or_says_what_is_wrong_with_it((seed, changes) in changed()) {
        let all = tables();
        let (name, bytes, pattern) = seed.get(&all);
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(name), apply(bytes.clone(), &changes)).expect("a file");
        let context = context(folder.path());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        if let Err(error) = runtime.block_on(read_table(name, *pattern, &context)) {
            prop_assert_ne!(error.exit_code, ExitCode::Internal, "{}: {}", name, error.message);
        }
    }

    #[test]
    fn a_changed_pattern_reads_lines_or_is_refused((seed, changes) in changed()) {
        let patterns = [
            r"^(?<mode>\S+)\s+(?<links>\d+)\s+(?<rest>.*)$",
            r"(?i)(?<level>info|warn)(?:\s*\[(?<code>\d{1,5})\])?",
            r"(?<a>\p{L}+)[^\x00-\x1f]*(?<b>\b\w{2,8}\b)",
        ];
        let pattern = apply(seed.get(&patterns).as_bytes().to_vec(), &changes);
        let pattern = String::from_utf8_lossy(&pattern).into_owned();
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("in.txt"), "-rw-r--r-- 1 root root 42 a.txt\nWARN [17] é\n").expect("a file");
        let context = context(folder.path());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        if let Err(error) = runtime.block_on(read_table("in.txt", Some(&pattern), &context)) {
            prop_assert_ne!(error.exit_code, ExitCode::Internal, "{}: {}", pattern, error.message);
        }
    }

    #[test]
    fn a_changed_model_predicts_or_is_refused((seed, changes) in changed()) {
        let recorded = contents("model.json").into_iter().map(|bytes| (bytes, None));
        let seeds: Vec<ModelFiles> = recorded.chain(models()).collect();
        let (bytes, other) = seed.get(&seeds);
        let read = |name: &str| other.clone().ok_or_else(|| ModelError::Invalid(format!("{name} is not there")));
        prop_assert!(Model::from_files(bytes, &read).is_ok(), "a good file is read");
        let bytes = apply(bytes.clone(), &changes);
        if let Ok(model) = Model::from_files(&bytes, &read) {
            // What is read can be written again, and predicts.
            prop_assert!(model.to_bytes().is_ok());
            let row = Array2::from_elem((1, model.schema().features.len()), 0.5);
            let mut texts = Texts::default();
            texts.place("Bern with a view");
            let texts = vec![texts; row.ncols()];
            if let Ok(Predictions::Numbers(found)) = model.with_texts(&texts).predict(row.view()) {
                prop_assert!(found.iter().all(|number| number.is_finite()));
            }
        }
    }

    #[test]
    fn a_changed_onnx_file_predicts_or_is_refused((seed, changes) in changed()) {
        let all = onnx_files();
        let (name, bytes) = seed.get(&all);
        let bytes = Bytes::from(apply(bytes.clone(), &changes));
        if let Ok(graph) = Graph::read(&bytes) {
            let inputs = graph.inputs().iter().map(ones).collect();
            if let Err(problem) = graph.run(inputs, 1, false) {
                prop_assert!(!problem.text().is_empty(), "{}", name);
            }
        }
        let step = serde_json::json!({"uri": "file:model.onnx", "target": "y"});
        let step = serde_json::from_value(step).expect("a step");
        if let Ok(imported) = inspect(bytes, &step) {
            let model = imported.model;
            prop_assert!(model.to_bytes().is_ok());
            let row = Array2::from_elem((1, model.schema().features.len()), 1.0);
            if let Ok(Predictions::Numbers(found)) = model.with_texts(&[]).predict(row.view()) {
                prop_assert!(found.iter().all(|number| number.is_finite()));
            }
        }
    }

    #[test]
    fn a_changed_manifest_is_read_or_refused((seed, changes) in changed()) {
        let folder = tempfile::tempdir().expect("a folder");
        let bytes = apply(seed.get(&contents(MANIFEST_NAME)).clone(), &changes);
        std::fs::write(folder.path().join(MANIFEST_NAME), bytes).expect("a file");
        if let Ok(manifest) = artifact::read(folder.path()) {
            // Its files are not there.
            prop_assert!(manifest.files.is_empty() || artifact::verify(folder.path(), &manifest).is_err());
        }
    }

    #[test]
    fn a_changed_step_and_report_are_read_or_refused((seed, changes) in changed()) {
        let bytes = apply(seed.get(&steps()).clone(), &changes);
        if let Ok(step) = serde_json::from_slice::<StepSpec>(&bytes) {
            prop_assert!(step.to_json().is_ok());
        }
        let mut report = StepReport::failed("DataMalformed", "line 7: 3 fields where the header has 2");
        report.metrics = BTreeMap::from([("accuracy".to_owned(), 0.5)]);
        let text = apply(report.to_json().into_bytes(), &changes);
        if let Ok(report) = StepReport::from_json(&String::from_utf8_lossy(&text)) {
            prop_assert!(report.to_json().len() <= 4096);
        }
    }

    #[test]
    fn a_changed_request_has_rows_or_is_refused(changes in prop::collection::vec(change(), 0..6)) {
        let models = contents("model.json");
        let model = Model::from_bytes(models.last().expect("a model")).expect("a whole model");
        let features = &model.schema().features;
        let row: serde_json::Map<String, serde_json::Value> =
            features.iter().map(|feature| (feature.name.clone(), serde_json::json!(1.5))).collect();
        let body = serde_json::to_vec(&[&row, &row]).expect("JSON");
        let rows = read_rows(&apply(body, &changes), &RowFeatures::new(features, f64::MAX), 1000);
        if let Ok(rows) = rows {
            prop_assert_eq!(rows.raw.numbers.len(), rows.count * features.len());
        }
    }
}
