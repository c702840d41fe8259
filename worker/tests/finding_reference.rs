//! What is learned without a target is what scikit-learn learns. The fixture is written by tests/reference/finding_fixtures.py.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use mlpipeline_crds::Algorithm;
use mlpipeline_worker::model::{Predictions, Predictor};
use mlpipeline_worker::train::{Learner, Matrix, Rows};
use ndarray::Array2;
use serde_json::{Value, json};

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).expect("a fixture")).expect("JSON")
}

fn list(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|number| number.as_f64().expect("a number")).collect()
}

fn rows_of(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().expect("rows").iter().map(list).collect()
}

/// What an algorithm learns from all rows.
fn fit(algorithm: &str, parameters: &Value, rows: &[Vec<f64>]) -> Predictor {
    let algorithm: Algorithm = serde_json::from_value(json!({algorithm: parameters})).expect("an algorithm");
    let mut matrix = Matrix::new(rows[0].len());
    rows.iter().for_each(|row| matrix.extend(row));
    let numbers: Vec<u32> = (0..rows.len() as u32).collect();
    let Learner::Finder(learner) = Learner::new(&algorithm).expect("a learner").0 else {
        panic!("it learns without a target");
    };
    let fitted = learner.fit(&Rows::new(&matrix, &numbers)).expect("a fit");
    assert_eq!(fitted.warning, None);
    fitted.predictor
}

fn find(predictor: &Predictor, rows: &[Vec<f64>]) -> (Vec<usize>, Array2<f64>) {
    let block = Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).expect("a matrix");
    match predictor.findings(block.view()).expect("findings") {
        Predictions::Findings { index, numbers } => (index, numbers),
        other => panic!("{other:?} is not found without a target"),
    }
}

/// Each of the fixture's fits of an algorithm, with its rows.
fn each(algorithm: &str, mut check: impl FnMut(&str, &Value, &[Vec<f64>])) {
    let mut count = 0;
    for expected in fixture("findings").as_array().expect("fits") {
        if expected["algorithm"] == algorithm {
            let data = expected["data"].as_str().expect("a name");
            let rows = rows_of(&fixture(data)["features"]);
            check(&format!("{data} {}", expected["parameters"]), expected, &rows);
            count += 1;
        }
    }
    assert!(count > 0, "{algorithm}");
}

fn is_close(found: f64, expected: f64, share: f64) -> bool {
    (found - expected).abs() <= share * expected.abs() + 1e-9
}

#[test]
fn clusters_of_k_means_are_scikit_learns() {
    each("kMeans", |what, expected, rows| {
        let predictor = fit("kMeans", &expected["parameters"], rows);
        let Predictor::Centers(centers) = &predictor else { panic!("{what}: centres") };
        for (found, expected) in centers.centers().zip(rows_of(&expected["centers"])) {
            for (found, expected) in found.iter().zip(expected) {
                assert!(is_close(*found, expected, 1e-6), "{what}: {found} instead of {expected}");
            }
        }
        let (index, numbers) = find(&predictor, rows);
        let labels: Vec<usize> = list(&expected["labels"]).into_iter().map(|label| label as usize).collect();
        assert_eq!(index, labels, "{what}");
        let inertia: f64 = numbers.iter().map(|distance| distance * distance).sum();
        let expected = expected["inertia"].as_f64().expect("a number");
        assert!(is_close(inertia, expected, 1e-9), "{what}: {inertia} instead of {expected}");
    });
}

#[test]
fn scores_of_an_isolation_forest_come_near_to_scikit_learns() {
    each("isolationForest", |what, expected, rows| {
        let (_, numbers) = find(&fit("isolationForest", &expected["parameters"], rows), rows);
        let scores = list(&expected["scores"]);
        let distances: Vec<f64> = numbers.iter().zip(&scores).map(|(a, b)| (a - b).abs()).collect();
        let mean = distances.iter().sum::<f64>() / distances.len() as f64;
        let most = distances.iter().copied().fold(0.0, f64::max);
        assert!(mean < 0.002 && most < 0.01, "{what}: {mean} on average, {most} at most");
    });
}

#[test]
fn principal_components_are_scikit_learns() {
    assert_components("pca");
}

#[test]
fn truncated_singular_value_decompositions_are_scikit_learns() {
    assert_components("truncatedSvd");
}

#[test]
fn clusters_of_dbscan_are_scikit_learns() {
    each("dbscan", |what, expected, rows| {
        let (index, numbers) = find(&fit("dbscan", &expected["parameters"], rows), rows);
        let labels = list(&expected["labels"]);
        let noise: Vec<bool> = labels.iter().map(|label| *label < 0.0).collect();
        assert_eq!(index.iter().map(|answer| *answer == 0).collect::<Vec<_>>(), noise, "{what}");
        let cores: Vec<usize> = list(&expected["cores"]).into_iter().map(|core| core as usize).collect();
        let found: Vec<usize> = (0..rows.len()).filter(|row| numbers[[*row, 0]] == 0.0).collect();
        let is_core_or_equal = |row: &usize| cores.iter().any(|core| rows[*core] == rows[*row]);
        assert!(
            cores.iter().all(|core| found.contains(core)) && found.iter().all(is_core_or_equal),
            "{what}"
        );
        // The same sets of dense rows, whatever their numbers.
        for (one, other) in cores.iter().zip(cores.iter().skip(1)) {
            assert_eq!(
                index[*one] == index[*other],
                labels[*one] == labels[*other],
                "{what}: {one} and {other}"
            );
        }
        let mut sizes = vec![0; index.iter().max().expect("rows") + 1];
        cores.iter().for_each(|core| sizes[index[*core]] += 1);
        assert!(sizes[1..].is_sorted_by(|ours, theirs| ours >= theirs), "{what}: {sizes:?}");
    });
}

#[track_caller]
fn assert_components(algorithm: &str) {
    each(algorithm, |what, expected, rows| {
        let predictor = fit(algorithm, &expected["parameters"], rows);
        let Predictor::Components(found) = &predictor else { panic!("{what}: components") };
        let components = rows_of(&expected["components"]);
        assert_eq!(found.components().count(), components.len(), "{what}");
        for (found, expected) in found.components().flatten().zip(components.iter().flatten()) {
            assert!((found - expected).abs() < 1e-8, "{what}: {found} instead of {expected}");
        }
        let transformed = rows_of(&expected["transformed"]);
        let (_, numbers) = find(&predictor, &rows[..transformed.len()]);
        for (found, expected) in numbers.iter().zip(transformed.iter().flatten()) {
            assert!(
                (found - expected).abs() < 1e-8 * expected.abs().max(100.0),
                "{what}: {found} {expected}"
            );
        }
    });
}

#[test]
fn a_gaussian_mixture_is_scikit_learns() {
    each("gaussianMixture", |what, expected, rows| {
        let predictor = fit("gaussianMixture", &expected["parameters"], rows);
        let Predictor::Mixture(mixture) = &predictor else { panic!("{what}: a mixture") };
        for (found, expected) in mixture.means().flatten().zip(rows_of(&expected["means"]).iter().flatten()) {
            assert!((found - expected).abs() < 1e-3, "{what}: {found} instead of {expected}");
        }
        let (_, numbers) = find(&predictor, rows);
        for (found, expected) in numbers.iter().zip(rows_of(&expected["probabilities"]).iter().flatten()) {
            assert!((found - expected).abs() < 1e-2, "{what}: {found} instead of {expected}");
        }
    });
}
