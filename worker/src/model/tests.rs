use std::collections::BTreeMap;
use std::fs;

use ndarray::{Array1, Array2, array};
use proptest::prelude::*;

use mlpipeline_crds::{Revision, RevisionRule, StepReport};

use super::*;
use crate::artifact::{Draft, Kind, MANIFEST_NAME};

fn feature(name: &str) -> Feature {
    let values = NumberValues { kind: FeatureKind::Float, min: 0.1, max: 7.9, mean: 5.8433333, example: 5.8 };
    Feature { name: name.to_owned(), optional: false, values: Values::Number(values) }
}

fn classes(count: usize) -> Target {
    let labels = (0..count).map(|index| Label::Text(format!("class-{index:03}"))).collect();
    Target::Class { name: "species".to_owned(), labels }
}

fn model(target: Target, weights: Array2<f64>, intercepts: Array1<f64>) -> Model {
    let features = (0..weights.ncols()).map(|index| feature(&format!("x{index}"))).collect();
    let schema = FeatureSchema { features, target };
    let metrics = BTreeMap::from([("accuracy".to_owned(), 0.1 + 0.2)]);
    let preprocessing = Preprocessing::identity(schema.features.len());
    let predictor = LinearPredictor::new(weights, intercepts);
    Model::new(schema, preprocessing, "logisticRegression", predictor, metrics).expect("a model")
}

fn example() -> Model {
    model(classes(3), array![[0.1, -2.5], [1e-300, 7.25], [-0.3, 1.0 / 3.0]], array![0.5, -1.0, 2e10])
}

#[test]
fn a_model_of_two_classes_gives_the_log_odds_of_the_second() {
    let model = model(classes(2), array![[2.0, 0.0]], array![-1.0]);
    let Predictions::Classes { index, probabilities } =
        model.with_texts(&[]).predict(array![[1.0, 9.0], [0.0, 9.0]].view()).expect("two rows")
    else {
        panic!("a classifier gives classes");
    };
    assert_eq!(index, [1, 0]);
    assert!((probabilities[(0, 1)] - 1.0 / (1.0 + (-1.0_f64).exp())).abs() < 1e-15);
    assert!((probabilities[(1, 0)] - 1.0 / (1.0 + (-1.0_f64).exp())).abs() < 1e-15);
}

#[test]
fn a_regression_gives_numbers() {
    let target = Target::Number { name: "y".to_owned(), min: 0.0, max: 1.0 };
    let model = model(target, array![[2.0, -1.0]], array![0.5]);
    let answer = model.with_texts(&[]).predict(array![[1.0, 1.0], [0.0, 3.0]].view()).expect("two rows");
    assert_eq!(answer, Predictions::Numbers(array![1.5, -2.5]));
}

#[test]
fn rows_of_another_width_or_without_a_finite_answer_are_refused() {
    let model = example();
    let wrong = model.with_texts(&[]).predict(array![[1.0]].view()).expect_err("too narrow");
    assert_eq!(wrong.to_string(), "a row has 1 numbers, and the model has 2 features");
    for value in [f64::NAN, f64::INFINITY, 1e308] {
        assert!(model.with_texts(&[]).predict(array![[value, value]].view()).is_err(), "{value}");
    }
    assert!(model.with_texts(&[]).predict(Array2::zeros((0, 2)).view()).expect("no rows").is_empty());
}

#[test]
fn many_rows_are_predicted_in_parts_as_one_by_one() {
    let width = 4096;
    let rows = 2 * PART_NUMBERS / width + 5;
    let weights = Array2::from_shape_fn((1, width), |(_, at)| 1.0 / (at as f64 + 1.0));
    let target = Target::Number { name: "y".to_owned(), min: 0.0, max: 1.0 };
    let model = model(target, weights, array![0.5]);
    let mut table = Array2::from_shape_fn((rows, width), |(row, at)| ((row * 31 + at) % 17) as f64);
    let predict = |table: &Array2<f64>| model.with_texts(&[]).predict(table.view());
    let all = predict(&table).expect("predictions");
    for row in [0, rows / 2, rows - 1] {
        let one = table.row(row).to_owned().insert_axis(Axis(0));
        let (Predictions::Numbers(all), Predictions::Numbers(one)) = (&all, predict(&one).expect("one"))
        else {
            panic!("numbers");
        };
        assert_eq!(all[row], one[0]);
    }
    table[(rows - 1, 3)] = f64::INFINITY;
    assert!(matches!(predict(&table), Err(ModelError::Overflow { row }) if row == rows - 1));
}

#[test]
fn the_same_model_gives_the_same_bytes_and_reads_back_alike() {
    let model = example();
    let bytes = model.to_bytes().expect("bytes");
    assert_eq!(bytes, model.to_bytes().expect("bytes"));
    assert_eq!(Model::from_bytes(&bytes).expect("the same model"), model);
}

#[test]
fn logarithms_and_binarized_features_are_predicted_with_and_read_back_alike() {
    let made = |target: Target, predictor: LinearPredictor| {
        let schema = FeatureSchema { features: vec![feature("x0"), feature("x1")], target };
        let preprocessing = Preprocessing::identity(2);
        Model::new(schema, preprocessing, "poissonRegression", predictor, BTreeMap::new())
    };
    let number = || Target::Number { name: "y".to_owned(), min: 0.0, max: 1.0 };
    let linear = || LinearPredictor::new(array![[2.0, -1.0]], array![0.5]);
    let logarithms = made(number(), linear().with_log_link()).expect("a model");
    let binarized = made(number(), linear().with_binarized_features(1.5)).expect("a model");
    let rows = array![[1.0, 1.0], [2.0, 1.5], [1e300, 0.0]];
    let found = logarithms.with_texts(&[]).predict(rows.view()).expect("every finite sum has an answer");
    assert_eq!(found, Predictions::Numbers(array![1.5_f64.exp(), 3.0_f64.exp(), f64::MAX]));
    let found = binarized.with_texts(&[]).predict(rows.view()).expect("predictions");
    assert_eq!(found, Predictions::Numbers(array![0.5, 2.5, 2.5]));
    assert!(binarized.with_texts(&[]).predict(array![[f64::NAN, 0.0]].view()).is_err());
    for model in [logarithms, binarized] {
        assert_eq!(Model::from_bytes(&model.to_bytes().expect("bytes")).expect("the same model"), model);
    }
    let error =
        made(classes(2), linear().with_log_link()).expect_err("classes have no logarithm").to_string();
    assert!(error.contains("its target is classes"), "{error}");
}

#[test]
fn a_newer_version_is_named() {
    let text = String::from_utf8(example().to_bytes().expect("bytes")).expect("text");
    let newer = text.replacen("\"version\": 2", "\"version\": 4, \"news\": {}", 1);
    let error = Model::from_bytes(newer.as_bytes()).expect_err("a newer version");
    let error = error.to_string();
    assert!(error.contains("format version 4") && error.contains("use a newer worker image"), "{error}");
}

/// A folder with the example model in it, as a train step publishes it.
fn published() -> (tempfile::TempDir, std::path::PathBuf) {
    let storage = tempfile::tempdir().expect("a folder");
    let draft = Draft::begin(storage.path()).expect("a draft");
    draft.write(MODEL_FILE, &example().to_bytes().expect("bytes")).expect("a file");
    let rule = RevisionRule::Fixed(Revision::of(&["test"]));
    let published = draft.publish(Kind::Model, StepReport::succeeded(None), &rule).expect("published");
    (storage, published.folder)
}

#[test]
fn a_published_model_is_loaded_with_its_revision() {
    let (_storage, folder) = published();
    let model = Model::load(&folder).expect("the model");
    assert_eq!(model.info().revision, Some(Revision::of(&["test"])));
    assert_eq!(model.predictor(), example().predictor());
    assert_eq!(model.info().digest, example().info().digest);
}

#[test]
fn a_folder_that_is_no_whole_model_is_an_error() {
    let missing = Model::load(std::path::Path::new("/nowhere")).expect_err("no folder");
    assert_eq!(missing.reason, "ArtifactMissing");
    let (_storage, folder) = published();
    fs::remove_file(folder.join(MODEL_FILE)).expect("removed");
    assert!(Model::load(&folder).expect_err("no model").message.contains("model.json is missing"));
    // A tebibyte of zeros, and a manifest that says so.
    let file = fs::File::create(folder.join(MODEL_FILE)).expect("a file");
    file.set_len(1 << 40).expect("a sparse file");
    assert_eq!(Model::load(&folder).expect_err("another size").reason, "ArtifactDamaged");
    let path = folder.join(MANIFEST_NAME);
    let mut manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(&path).expect("a manifest")).expect("JSON");
    manifest["files"][MODEL_FILE]["size"] = (1_u64 << 40).into();
    // Whoever writes it leaves out what would give it away at once.
    manifest["report"].as_object_mut().expect("a report").remove("digest");
    fs::write(&path, manifest.to_string()).expect("written");
    assert_eq!(Model::load(&folder).expect_err("too large").reason, "ModelInvalid");
    let draft = Draft::begin(folder.parent().expect("a parent")).expect("a draft");
    let rule = RevisionRule::Fixed(Revision::of(&["data"]));
    let dataset = draft.publish(Kind::Dataset, StepReport::succeeded(None), &rule).expect("published");
    assert_eq!(Model::load(&dataset.folder).expect_err("a dataset").reason, "NoModel");
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let schema = |names: &[&str], target| FeatureSchema {
        features: names.iter().map(|name| feature(name)).collect(),
        target,
    };
    let unsorted = Target::Class { name: "y".into(), labels: vec![Label::Integer(1), Label::Integer(1)] };
    let mixed = Target::Class { name: "y".into(), labels: vec![Label::Boolean(true), Label::Integer(1)] };
    let rows = [
        (schema(&["a"], classes(2)), array![[1.0, 2.0]]),
        (schema(&["a"], classes(3)), array![[1.0], [2.0]]),
        (schema(&["a"], classes(1)), array![[1.0]]),
        (schema(&["a", "a"], classes(2)), array![[1.0, 2.0]]),
        (schema(&["species"], classes(2)), array![[1.0]]),
        (schema(&[], classes(2)), array![[]]),
        (schema(&["a"], unsorted), array![[1.0]]),
        (schema(&["a"], mixed), array![[1.0]]),
        (schema(&["a"], classes(2)), array![[f64::NAN]]),
    ];
    for (schema, weights) in rows {
        let predictor = LinearPredictor::new(weights.clone(), Array1::zeros(weights.nrows()));
        let identity = Preprocessing::identity(schema.features.len());
        assert!(
            Model::new(schema.clone(), identity, "x", predictor, BTreeMap::new()).is_err(),
            "{schema:?} {weights:?}"
        );
    }
}

proptest! {
    #[test]
    fn probabilities_sum_to_one(
        weights in prop::collection::vec(-1e3..1e3_f64, 12), rows in prop::collection::vec(-1e3..1e3_f64, 12)
    ) {
        for classes_count in [2, 4] {
            let outputs = if classes_count == 2 { 1 } else { 4 };
            let weights = Array2::from_shape_vec((outputs, 3), weights[..outputs * 3].to_vec()).expect("a matrix");
            let model = model(classes(classes_count), weights, Array1::zeros(outputs));
            let rows = Array2::from_shape_vec((4, 3), rows.clone()).expect("a matrix");
            let Predictions::Classes { index, probabilities } = model.with_texts(&[]).predict(rows.view()).expect("rows") else {
                panic!("a classifier gives classes");
            };
            for (row, index) in probabilities.rows().into_iter().zip(index) {
                prop_assert!((row.sum() - 1.0).abs() < 1e-12);
                prop_assert!(row.iter().all(|p| (0.0..=1.0).contains(p) && *p <= row[index]));
            }
        }
    }

    #[test]
    fn any_model_survives_a_round_trip(bits in prop::collection::vec(any::<u64>(), 6)) {
        let numbers: Vec<f64> = bits.into_iter().map(f64::from_bits).collect();
        prop_assume!(numbers.iter().all(|number| number.is_finite()));
        let weights = Array2::from_shape_vec((1, 5), numbers[..5].to_vec()).expect("a matrix");
        let model = model(classes(2), weights, array![numbers[5]]);
        let bytes = model.to_bytes().expect("bytes");
        prop_assert_eq!(Model::from_bytes(&bytes).expect("the same model"), model);
    }

    #[test]
    fn any_flipped_bit_in_a_folder_is_an_error(at in 0..4000_usize, bit in 0..8_u32, manifest in any::<bool>()) {
        let (_storage, folder) = published();
        let path = folder.join(if manifest { MANIFEST_NAME } else { MODEL_FILE });
        let mut bytes = fs::read(&path).expect("a file");
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        fs::write(&path, &bytes).expect("written");
        let loaded = Model::load(&folder);
        // A bit of the manifest's report or white space changes nothing that is predicted.
        prop_assert!(loaded.is_err() || (manifest && loaded.expect("a model").predictor() == example().predictor()));
        // The last bytes are a brace and a newline.
        fs::write(&path, &bytes[..at.min(bytes.len() - 2)]).expect("written");
        prop_assert!(Model::load(&folder).is_err());
    }

    #[test]
    fn damage_never_panics(at in 0..4000_usize, bit in 0..8_u32, cut in 0..4000_usize) {
        let mut bytes = example().to_bytes().expect("bytes");
        prop_assert!(Model::from_bytes(&bytes[..cut % (bytes.len() - 2)]).is_err());
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let _ = Model::from_bytes(&bytes);
    }
}
