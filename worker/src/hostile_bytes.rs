//! Bytes from elsewhere, changed at random: whatever they are, the answer is a value or an error for people, never a panic and
//! never an error of this program.
//!
//! Each test begins with good files of every kind and changes them. `make fuzz` tries thousands of times as many as `make test`.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::{Float64Array, RecordBatch, StringArray};
use futures::StreamExt;
use mlpipeline_crds::{DataSource, ExitCode, Format, StepReport, StepSpec};
use parquet::arrow::ArrowWriter;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::WorkContext;
use crate::artifact::{self, MANIFEST_NAME, Storage};
use crate::context::ContextSettings;
use crate::credentials::Secrets;
use crate::failure::StepError;
use crate::model::Model;
use crate::network::Network;
use crate::progress::Progress;
use crate::serve::{RowFeatures, read_rows};
use crate::table;

/// One change of bytes.
#[derive(Clone, Debug)]
enum Change {
    /// A byte becomes another.
    Byte(Index, u8),
    /// All from here on goes.
    Cut(Index),
    /// Something is put in.
    Insert(Index, Vec<u8>),
    /// What lies between two places comes many times.
    Repeat(Index, Index, usize),
}

/// What breaks readers more often than chance does.
const PIECES: [&[u8]; 16] = [
    b"\0",
    b"\"",
    b"\n",
    b"\r",
    b",,,,",
    b"{",
    b"[[[[",
    b"}",
    b"-1",
    b"1e999",
    b"99999999999999999999",
    b"NaN",
    b"null",
    b"\xff\xfe",
    b"\\u0000",
    b"\xff\xff\xff\x7f",
];

fn change() -> impl Strategy<Value = Change> {
    let piece = prop::sample::select(PIECES.to_vec()).prop_map(<[u8]>::to_vec);
    let bytes = prop_oneof![piece, prop::collection::vec(any::<u8>(), 1..8)];
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        any::<Index>().prop_map(Change::Cut),
        (any::<Index>(), bytes).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (any::<Index>(), any::<Index>(), 1..200_usize)
            .prop_map(|(from, to, times)| Change::Repeat(from, to, times)),
    ]
}

/// A seed by its place, and what becomes of it.
fn changed() -> impl Strategy<Value = (Index, Vec<Change>)> {
    (any::<Index>(), prop::collection::vec(change(), 0..6))
}

fn apply(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        if bytes.is_empty() {
            break;
        }
        match change {
            Change::Byte(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Change::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Change::Insert(at, piece) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, piece.iter().copied());
            }
            Change::Repeat(from, to, times) => {
                let (one, other) = (from.index(bytes.len()), to.index(bytes.len()));
                let (from, to) = (one.min(other), one.max(other).min(one.min(other) + 64));
                let piece = bytes[from..to].repeat(*times);
                bytes.splice(from..from, piece);
            }
        }
    }
    bytes
}

/// All recorded files of a name, of every version.
fn recorded(name: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, name: &str, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, name, found);
            } else if path.to_string_lossy().ends_with(name) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data"), name, &mut found);
    found.sort();
    assert!(!found.is_empty(), "{name}");
    found
}

fn contents(name: &str) -> Vec<Vec<u8>> {
    recorded(name).iter().map(|path| std::fs::read(path).expect("a file")).collect()
}

/// Good files of rows, with their names and the pattern of text.
fn tables() -> Vec<(&'static str, Vec<u8>, Option<&'static str>)> {
    let csv = b"a,b,day\n1,\"x, \"\"y\"\"\",2026-01-02\n2.5,,2026-01-02T03:04:05Z\n-3,z,\n".to_vec();
    let ndjson =
        b"{\"a\":1,\"b\":\"x\"}\n{\"a\":2.5,\"b\":null,\"c\":{\"d\":[1,2]}}\n{\"a\":true}\n".to_vec();
    let text = b"-rw-r--r-- 1 root root 42 a.txt\n-rw-r--r-- 1 root root 7 b c.txt\n".to_vec();
    let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    zipped.write_all(&csv).expect("compressed");
    let batch = RecordBatch::try_from_iter([
        ("a", Arc::new(Float64Array::from(vec![Some(1.0), None, Some(f64::NAN)])) as _),
        ("b", Arc::new(StringArray::from(vec![Some("x"), Some(""), None])) as _),
    ])
    .expect("a batch");
    let mut parquet = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut parquet, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("rows");
    writer.close().expect("a file");
    vec![
        ("in.csv", csv.clone(), None),
        ("in.ndjson", ndjson, None),
        ("in.txt", text, Some(r"^(?<mode>\S+)\s+(?<links>\d+)\s+(?<rest>.*)$")),
        ("in.csv.gz", zipped.finish().expect("compressed"), None),
        ("in.csv.zst", zstd::encode_all(csv.as_slice(), 3).expect("compressed"), None),
        ("in.parquet", parquet, None),
    ]
}

fn context(root: &Path) -> WorkContext {
    WorkContext::new(ContextSettings {
        storage: Storage::new(root),
        scratch: root.to_owned(),
        memory_limit: 256 << 20,
        network: Network::default(),
        progress: Progress::Silent,
        secrets: Secrets::default(),
    })
    .expect("a context")
}

/// Reads all rows of a file as a step reads them.
async fn read_table(name: &str, pattern: Option<&str>, context: &WorkContext) -> Result<usize, StepError> {
    let source = DataSource::Uri {
        uri: format!("file:{name}"),
        format: pattern.map(|_| Format::Text),
        columns: Vec::new(),
        pattern: pattern.map(str::to_owned),
        on_mismatch: None,
        reading: None,
        sha256: None,
        credentials: None,
    };
    let frame = table::open(&source, "t", context).await?;
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
    fn a_changed_model_predicts_or_is_refused((seed, changes) in changed()) {
        let seeds = contents("model.json");
        let bytes = apply(seed.get(&seeds).clone(), &changes);
        if let Ok(model) = Model::from_bytes(&bytes) {
            // What is read can be written again.
            prop_assert!(model.to_bytes().is_ok());
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
        let steps: Vec<Vec<u8>> = ["prepare", "train", "score", "serve", "continuous"]
            .iter()
            .flat_map(|kind| contents(&format!("{kind}.json")))
            .collect();
        let bytes = apply(seed.get(&steps).clone(), &changes);
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
