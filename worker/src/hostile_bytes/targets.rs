//! What reads bytes from elsewhere: one entry each, with good bytes to begin with, and what must hold whatever the bytes are.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use futures::StreamExt;
use mlpipeline_crds::{DataSource, ExitCode, Format, StepReport, StepSpec};
use ndarray::Array2;

use super::good_files::{contents, joined_models, ones, onnx_files, patterns, steps, table};
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

/// One reader of bytes from elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, which is that of its folder of findings.
    pub name: &'static str,
    /// Good bytes.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Reads bytes, and says whether they made sense. It panics where what must hold of any bytes does not.
    pub read: fn(&[u8]) -> bool,
}

/// All readers.
pub const TARGETS: [Target; 14] = [
    Target { name: "csv", seeds: || table("in.csv"), read: |bytes| reads_rows("in.csv", None, bytes) },
    Target {
        name: "ndjson",
        seeds: || table("in.ndjson"),
        read: |bytes| reads_rows("in.ndjson", None, bytes),
    },
    Target {
        name: "text",
        seeds: || table("in.txt"),
        read: |bytes| reads_rows("in.txt", Some(PATTERN), bytes),
    },
    Target { name: "gzip", seeds: || table("in.csv.gz"), read: |bytes| reads_rows("in.csv.gz", None, bytes) },
    Target {
        name: "zstd",
        seeds: || table("in.csv.zst"),
        read: |bytes| reads_rows("in.csv.zst", None, bytes),
    },
    Target {
        name: "parquet",
        seeds: || table("in.parquet"),
        read: |bytes| reads_rows("in.parquet", None, bytes),
    },
    Target { name: "pattern", seeds: patterns, read: reads_pattern },
    Target { name: "model", seeds: joined_models, read: reads_model },
    Target { name: "onnx", seeds: onnx_files, read: reads_onnx },
    Target { name: "import", seeds: onnx_files, read: imports },
    Target { name: "manifest", seeds: || contents(MANIFEST_NAME), read: reads_manifest },
    Target { name: "step", seeds: steps, read: reads_step },
    Target { name: "report", seeds: || vec![report().to_json().into_bytes()], read: reads_report },
    Target { name: "request", seeds: || vec![request()], read: reads_request },
];

/// What splits the lines of text.
const PATTERN: &str = r"^(?<mode>\S+)\s+(?<links>\d+)\s+(?<rest>.*)$";

pub(super) fn context(root: &Path) -> WorkContext {
    context_of(root, Network::default(), Secrets::default())
}

pub(super) fn context_of(root: &Path, network: Network, secrets: Secrets) -> WorkContext {
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

pub(super) fn source_of(uri: String, format: Option<Format>, pattern: Option<&str>) -> DataSource {
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

/// Reads all rows of a source as a step reads them.
pub(super) async fn read_source(source: &DataSource, context: &WorkContext) -> Result<usize, StepError> {
    let frame = table::open(source, "t", context).await?;
    let mut rows = frame.execute_stream().await.map_err(|error| crate::engine::query_error(&error))?;
    let mut count = 0;
    while let Some(batch) = rows.next().await {
        count += batch.map_err(|error| crate::engine::query_error(&error))?.num_rows();
    }
    Ok(count)
}

/// Any file has rows, or something is wrong with it that is not this program's fault.
fn reads_rows(name: &str, pattern: Option<&str>, bytes: &[u8]) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(name), bytes).expect("a file");
    let source = source_of(format!("file:{name}"), pattern.map(|_| Format::Text), pattern);
    let context = context(folder.path());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    match runtime.block_on(read_source(&source, &context)) {
        Ok(_) => true,
        Err(error) => {
            assert_ne!(error.exit_code, ExitCode::Internal, "{name}: {}", error.message);
            false
        }
    }
}

fn reads_pattern(bytes: &[u8]) -> bool {
    let lines = "-rw-r--r-- 1 root root 42 a.txt\nWARN [17] é\n";
    reads_rows("in.txt", Some(&String::from_utf8_lossy(bytes)), lines.as_bytes())
}

/// `model.json`, and after a NUL the bytes of the file beside it, where there is one.
fn reads_model(bytes: &[u8]) -> bool {
    let end = bytes.iter().position(|byte| *byte == 0);
    let (json, other) = match end {
        Some(end) => (&bytes[..end], Some(&bytes[end + 1..])),
        None => (bytes, None),
    };
    let other = |name: &str| {
        other.map(<[u8]>::to_vec).ok_or_else(|| ModelError::Invalid(format!("{name} is not there")))
    };
    let Ok(model) = Model::from_files(json, &other) else { return false };
    // What is read can be written again, and predicts.
    assert!(model.to_bytes().is_ok());
    let row = Array2::from_elem((1, model.schema().features.len()), 0.5);
    let mut texts = Texts::default();
    texts.place("Bern with a view");
    let texts = vec![texts; row.ncols()];
    if let Ok(Predictions::Numbers(found)) = model.with_texts(&texts).predict(row.view()) {
        assert!(found.iter().all(|number| number.is_finite()));
    }
    true
}

fn reads_onnx(bytes: &[u8]) -> bool {
    let Ok(graph) = Graph::read(&Bytes::copy_from_slice(bytes)) else { return false };
    let inputs = graph.inputs().iter().map(ones).collect();
    if let Err(problem) = graph.run(inputs, 1, false) {
        assert!(!problem.text().is_empty());
    }
    true
}

fn imports(bytes: &[u8]) -> bool {
    let step = serde_json::json!({"uri": "file:model.onnx", "target": "y"});
    let step = serde_json::from_value(step).expect("a step");
    let Ok(imported) = inspect(Bytes::copy_from_slice(bytes), &step) else { return false };
    let model = imported.model;
    assert!(model.to_bytes().is_ok());
    let row = Array2::from_elem((1, model.schema().features.len()), 1.0);
    if let Ok(Predictions::Numbers(found)) = model.with_texts(&[]).predict(row.view()) {
        assert!(found.iter().all(|number| number.is_finite()));
    }
    true
}

/// The files that it lists are there, with the sizes that it says and nothing in them.
fn reads_manifest(bytes: &[u8]) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(MANIFEST_NAME), bytes).expect("a file");
    let listed = serde_json::from_slice::<serde_json::Value>(bytes).ok();
    let files = listed.as_ref().and_then(|manifest| manifest["files"].as_object()).into_iter().flatten();
    for (name, entry) in files.take(8).filter(|(name, _)| !name.contains(['/', '\0'])) {
        let size = entry["size"].as_u64().unwrap_or_default().min(1 << 30);
        // A name that cannot be one of a file is none for the manifest either.
        if let Ok(file) = std::fs::File::create_new(folder.path().join(name)) {
            file.set_len(size).expect("a size");
        }
    }
    let Ok(manifest) = artifact::read(folder.path()) else { return false };
    let is_empty = manifest.files.values().all(|entry| entry.size == 0);
    // Hashing is work, and of gigabytes too much.
    let is_small = manifest.files.values().all(|entry| entry.size <= 1 << 16);
    assert!(is_empty || !is_small || artifact::verify(folder.path(), &manifest).is_err());
    true
}

fn reads_step(bytes: &[u8]) -> bool {
    let Ok(step) = serde_json::from_slice::<StepSpec>(bytes) else { return false };
    assert!(step.to_json().is_ok());
    true
}

fn report() -> StepReport {
    let mut report = StepReport::failed("DataMalformed", "line 7: 3 fields where the header has 2");
    report.metrics = BTreeMap::from([("accuracy".to_owned(), 0.5)]);
    report
}

fn reads_report(bytes: &[u8]) -> bool {
    let Ok(report) = StepReport::from_json(&String::from_utf8_lossy(bytes)) else { return false };
    assert!(report.to_json().len() <= 4096);
    true
}

/// The newest recorded model.
fn served() -> Model {
    let models = contents("model.json");
    Model::from_bytes(models.last().expect("a model")).expect("a whole model")
}

/// Two rows for the model.
fn request() -> Vec<u8> {
    let model = served();
    let row: serde_json::Map<String, serde_json::Value> = model
        .schema()
        .features
        .iter()
        .map(|feature| (feature.name.clone(), serde_json::json!(1.5)))
        .collect();
    serde_json::to_vec(&[&row, &row]).expect("JSON")
}

fn reads_request(bytes: &[u8]) -> bool {
    let model = served();
    let features = &model.schema().features;
    let Ok(rows) = read_rows(bytes, &RowFeatures::new(features, f64::MAX), 1000) else { return false };
    assert_eq!(rows.raw.numbers.len(), rows.count * features.len());
    true
}
