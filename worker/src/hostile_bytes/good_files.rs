//! Good files of every kind that the worker reads, to be changed: recorded ones, and small ones made here.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use datafusion::arrow::array::{Float64Array, RecordBatch, StringArray};
use mlpipeline_crds::TimeInterval;
use ndarray::{Array1, Array2};
use parquet::arrow::ArrowWriter;

use crate::model::{
    CategorySet, CenterPredictor, ComponentPredictor, DensityPredictor, Feature, FeatureKind, FeatureSchema,
    IsolationPredictor, LinearPredictor, MixturePredictor, Model, NumberValues, Predictor, SeasonalPredictor,
    Split, Subset, Target, TextValues, TreeBuilder, TreeOutput, TreePredictor, Values,
};
use crate::onnx::{GraphInput, Kind, Tensor, Values as Columns};
use crate::preprocess::{
    ColumnScale, HashTransform, OrdinalTransform, Preprocessing, TextTransform, Transform,
};

/// All recorded files of a name, or of an end of it, of every version, in a folder of recorded data.
fn recorded(folder: &str, name: &str) -> Vec<PathBuf> {
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
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(folder), name, &mut found);
    found.sort();
    assert!(!found.is_empty(), "{name}");
    found
}

fn read(files: &[PathBuf]) -> Vec<Vec<u8>> {
    files.iter().map(|path| std::fs::read(path).expect("a file")).collect()
}

/// What is in all recorded files of a name.
pub(super) fn contents(name: &str) -> Vec<Vec<u8>> {
    read(&recorded("", name))
}

/// All recorded steps: of each kind, in each version that has it.
pub(super) fn steps() -> Vec<Vec<u8>> {
    read(&recorded("steps", ".json"))
}

/// A good file of rows, by its name.
pub(super) fn table(name: &str) -> Vec<Vec<u8>> {
    tables().into_iter().filter(|(own, _)| *own == name).map(|(_, bytes)| bytes).collect()
}

/// Patterns of text.
pub(super) fn patterns() -> Vec<Vec<u8>> {
    let patterns = [
        r"^(?<mode>\S+)\s+(?<links>\d+)\s+(?<rest>.*)$",
        r"(?i)(?<level>info|warn)(?:\s*\[(?<code>\d{1,5})\])?",
        r"(?<a>\p{L}+)[^\x00-\x1f]*(?<b>\b\w{2,8}\b)",
    ];
    patterns.map(|pattern| pattern.as_bytes().to_vec()).to_vec()
}

fn tables() -> Vec<(&'static str, Vec<u8>)> {
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
        ("in.csv", csv.clone()),
        ("in.ndjson", ndjson),
        ("in.txt", text),
        ("in.csv.gz", zipped.finish().expect("compressed")),
        ("in.csv.zst", zstd::encode_all(csv.as_slice(), 3).expect("compressed")),
        ("in.parquet", parquet),
    ]
}

/// The bytes of a `model.json`, and those of the file beside it, where there is one.
type ModelFiles = (Vec<u8>, Option<Vec<u8>>);

fn trees(output: TreeOutput, start: &[f64]) -> TreePredictor {
    let mut tree = TreeBuilder::new(1);
    tree.split(Split { feature: 1, threshold: 0.25, missing_left: true }).expect("a split");
    tree.leaf(&[1.5]).expect("left");
    tree.leaf(&[-0.5]).expect("right");
    let mut trees = vec![tree.finish().expect("a tree")];
    if output == TreeOutput::SumOfLogarithms {
        let mut left = CategorySet::default();
        left.insert(1);
        let mut tree = TreeBuilder::new(1);
        tree.subset(Subset { feature: 0, left, missing_left: false }).expect("a set");
        tree.leaf(&[0.5]).expect("left");
        tree.leaf(&[-0.5]).expect("right");
        trees.push(tree.finish().expect("a tree"));
    }
    TreePredictor::new(2, output, start.to_vec(), trees).expect("trees")
}

/// A model of prose, of means and of hashes.
fn model_of_texts() -> ModelFiles {
    let feature = |name: &str| Feature {
        name: name.to_owned(),
        optional: true,
        values: Values::Text(TextValues { common: vec!["Bern".to_owned()] }),
    };
    let target =
        serde_json::json!({"categories": ["Bern"], "means": [[2.5]], "overall": [1.5], "missing": [0]});
    let preprocessing = Preprocessing::new(vec![
        Transform::Text(TextTransform::new(vec![("bern".to_owned(), 2), ("view".to_owned(), 1)], 3, 9)),
        Transform::Target(serde_json::from_value(target).expect("means")),
        Transform::Hash(HashTransform { buckets: 2 }),
        Transform::Ordinal(OrdinalTransform { categories: vec!["low".to_owned(), "high".to_owned()] }),
    ]);
    let scale = |column| ColumnScale { column, center: 0.5, divisor: 2.0 };
    let preprocessing = preprocessing.with_scales(vec![scale(2), scale(5)]);
    let schema = FeatureSchema {
        features: ["a", "b", "c", "d"].map(feature).to_vec(),
        target: Target::Number { name: "y".to_owned(), min: 0.0, max: 1.0 },
    };
    let linear = LinearPredictor::new(Array2::from_elem((1, 6), 0.5), Array1::zeros(1));
    let model = Model::new(schema, preprocessing, "ridge", linear, BTreeMap::new()).expect("a model");
    (model.to_bytes().expect("bytes"), None)
}

/// Models of kinds that no recorded volume has.
fn models() -> Vec<ModelFiles> {
    let cores = vec![0.0, 1.5, -2.0, 4.0];
    let series = BTreeMap::from([(vec![0], (10, vec![1.0, 2.0])), (vec![1], (12, vec![3.0, 4.0]))]);
    let predictors: [Predictor; 7] = [
        SeasonalPredictor::new((2, 0, vec![1]), TimeInterval::Month, 12, series).into(),
        DensityPredictor::new(2, cores, vec![1, 2], 2, 0.5).expect("dense rows").into(),
        IsolationPredictor::new(trees(TreeOutput::MeanOfNumbers, &[]), 2, 0.5).into(),
        trees(TreeOutput::SumOfLogarithms, &[0.5]).into(),
        CenterPredictor::new(vec![vec![0.0, 1.5], vec![-2.0, 4.0]]).expect("centres").into(),
        ComponentPredictor::new(vec![0.5, -1.0], vec![vec![0.6, 0.8]]).into(),
        MixturePredictor::new(&[0.75, 0.25], vec![vec![0.0, 1.0]; 2], vec![vec![1.0, 0.5, 2.0]; 2]).into(),
    ];
    let feature = |name: &str| {
        let values = NumberValues { kind: FeatureKind::Float, min: 0.0, max: 1.0, mean: 0.5, example: 0.25 };
        Feature { name: name.to_owned(), optional: false, values: Values::Number(values) }
    };
    let model = |predictor: Predictor| {
        let number = Target::Number { name: "y".to_owned(), min: 0.0, max: 1.0 };
        let target = predictor.finding().map_or(number, Target::Finding);
        let schema = FeatureSchema { features: vec![feature("a"), feature("b")], target };
        let model = Model::new(schema, Preprocessing::identity(2), "kMeans", predictor, BTreeMap::new());
        let mut files = model.expect("a model").files().expect("files").into_iter().map(|(_, bytes)| bytes);
        (files.next().expect("model.json"), files.next())
    };
    predictors.into_iter().map(model).chain([model_of_texts()]).collect()
}

/// Models of every version and kind: `model.json`, and after a NUL the bytes of the file beside it, where there is one.
pub(super) fn joined_models() -> Vec<Vec<u8>> {
    let recorded = contents("model.json").into_iter().map(|bytes| (bytes, None));
    let joined = recorded.chain(models()).map(|(json, other)| match other {
        Some(other) => [json, vec![0], other].concat(),
        None => json,
    });
    joined.collect()
}

/// Files of ONNX: one of each operator, and the sample.
pub(super) fn onnx_files() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cases = std::fs::read(folder.join("tests/fixtures/onnx_operators.json")).expect("the fixtures");
    let cases: Vec<serde_json::Value> = serde_json::from_slice(&cases).expect("JSON");
    let graphs = cases.iter().map(|case| case["graph"].as_str().expect("a text"));
    let files = graphs.map(|graph| STANDARD.decode(graph).expect("base64"));
    let sample =
        std::fs::read(folder.join("../deploy/samples/made-elsewhere/churn.onnx")).expect("the sample");
    files.chain([sample]).collect()
}

/// Ones, or texts, in the shape of a graph's input; no dimension is long, whatever the file says.
pub(super) fn ones(input: &GraphInput) -> Tensor {
    let shape: Vec<usize> = input.shape.iter().take(4).map(|length| length.unwrap_or(1).min(8)).collect();
    let count = shape.iter().product();
    let values = match input.kind {
        Kind::F32 => Columns::F32(vec![1.0; count]),
        Kind::F64 => Columns::F64(vec![1.0; count]),
        Kind::I64 => Columns::I64(vec![1; count]),
        Kind::I32 => Columns::I32(vec![1; count]),
        Kind::Bool => Columns::Bool(vec![true; count]),
        Kind::Text => Columns::Text(vec![Arc::from("a"); count]),
    };
    Tensor::shaped(shape, values).expect("a tensor")
}
