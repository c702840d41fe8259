//! Penalties of logistic regression, and weights of classes by name, lead to the weights that scikit-learn finds. The fixture is
//! written by tests/reference/sparse_fixtures.py.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use mlpipeline_crds::Algorithm;
use mlpipeline_worker::train::{Fitted, Learner, Matrix, Names, Rows, TrainError};
use serde_json::{Value, json};

fn flat(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(flat).collect(),
        number => vec![number.as_f64().expect("a number")],
    }
}

/// Learns classes, which are called by their numbers.
fn fit(algorithm: &Value, matrix: &Matrix, classes: &[u32]) -> Result<Fitted, TrainError> {
    let algorithm: Algorithm = serde_json::from_value(algorithm.clone()).expect("an algorithm");
    let Learner::Classifier(learner) = Learner::new(&algorithm)?.0 else { panic!("classes are learnt") };
    let count = *classes.iter().max().expect("classes") as usize + 1;
    let labels: Vec<String> = (0..count).map(|class| class.to_string()).collect();
    let placed = learner.placed(&Names { columns: &[], classes: &labels })?;
    let rows: Vec<u32> = (0..classes.len() as u32).collect();
    placed.as_ref().unwrap_or(&learner).fit(&Rows::new(matrix, &rows), classes, count)
}

fn tables() -> Vec<(Matrix, Vec<u32>, Value)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/sparse_logistic.json");
    let document: Value = serde_json::from_slice(&std::fs::read(path).expect("a fixture")).expect("JSON");
    let table = |table: &Value| {
        let mut matrix = Matrix::new(table["features"][0].as_array().expect("a row").len());
        matrix.extend(&flat(&table["features"]));
        let classes = flat(&table["classes"]).iter().map(|class| *class as u32).collect();
        (matrix, classes, table["fits"].clone())
    };
    document.as_array().expect("tables").iter().map(table).collect()
}

#[test]
fn penalties_and_weights_of_classes_give_scikit_learns_weights() {
    for (matrix, classes, fits) in tables() {
        for case in fits.as_array().expect("fits") {
            let algorithm = json!({case["algorithm"].as_str().expect("a name"): case["parameters"]});
            let fitted = fit(&algorithm, &matrix, &classes).expect("a fit");
            assert_eq!(fitted.warning, None, "{algorithm}");
            let linear = fitted.predictor.linear().expect("weights");
            let found: Vec<f64> = linear.weights().iter().chain(linear.intercepts()).copied().collect();
            let expected = [flat(&case["weights"]), flat(&case["intercepts"])].concat();
            for (found, expected) in found.iter().zip(&expected) {
                let near = (found - expected).abs() <= 1e-5 * expected.abs().max(1.0);
                assert!(near, "{algorithm}: {found} instead of {expected}");
                assert_eq!(*found == 0.0, expected.abs() < 1e-12, "{algorithm}: {found} beside {expected}");
            }
        }
    }
}

#[test]
fn columns_of_very_different_size_are_no_harder() {
    // A tenth of alpha for a column in units ten times as small leaves the same predictions; here only L1 of one column counts.
    let (matrix, classes, _) = tables().remove(0);
    let mut scaled = Matrix::new(matrix.width());
    for row in 0..matrix.rows() {
        let units = (0..).map(|column| 10.0_f64.powi(column % 7 - 3));
        scaled.extend(
            &matrix.row(row).iter().zip(units).map(|(value, unit)| value * unit + unit).collect::<Vec<_>>(),
        );
    }
    let algorithm = json!({"logisticRegression": {"penalty": "l1", "alpha": 0.1, "maxIterations": 100}});
    let fitted = fit(&algorithm, &scaled, &classes).expect("a fit");
    assert_eq!(fitted.warning, None);
    assert!(fitted.predictor.linear().expect("weights").weights().iter().all(|weight| weight.is_finite()));
}

#[test]
fn a_class_that_is_not_there_is_named_with_those_that_are() {
    let (matrix, classes, _) = tables().remove(1);
    for algorithm in ["logisticRegression", "linearSvm"] {
        let error = fit(&json!({algorithm: {"classWeights": {"merlot": 2.0}}}), &matrix, &classes);
        let error = error.expect_err("no such class").to_string();
        assert!(
            error.contains(&format!("{algorithm}.classWeights.merlot")) && error.ends_with("0, 1, 2"),
            "{error}"
        );
    }
}
