//! Ridge, lasso, elastic net and Poisson regression learn what scikit-learn's do, with and without an intercept, also of
//! collinear columns and few rows. The fixture is written by tests/reference/linear_fixtures.py.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use mlpipeline_crds::Algorithm;
use mlpipeline_worker::train::{Fitted, Learner, Matrix, Rows, TrainError};
use ndarray::Array2;
use serde_json::{Value, json};

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).expect("a fixture")).expect("JSON")
}

fn list(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|number| number.as_f64().expect("a number")).collect()
}

fn fit(algorithm: &str, parameters: &Value, matrix: &Matrix, numbers: &[f64]) -> Result<Fitted, TrainError> {
    let spec: Algorithm = serde_json::from_value(json!({algorithm: parameters})).expect("an algorithm");
    let rows: Vec<u32> = (0..numbers.len() as u32).collect();
    match Learner::new(&spec).expect("a learner").0 {
        Learner::Regressor(learner) => learner.fit(&Rows::new(matrix, &rows), numbers),
        Learner::Classifier(_) | Learner::Finder(_) => panic!("{algorithm} is not a regression"),
    }
}

/// Equal to within 1e-4 of the number.
#[track_caller]
fn assert_close(what: &str, found: impl IntoIterator<Item = f64>, expected: &[f64]) {
    let found: Vec<f64> = found.into_iter().collect();
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() <= 1e-4 * expected.abs() + 1e-7,
            "{what}: {found} instead of {expected}"
        );
    }
}

#[test]
fn regressions_by_weights_learn_what_scikit_learns_do() {
    for expected in fixture("penalised").as_array().expect("fits") {
        let text = |key: &str| expected[key].as_str().expect("text");
        let (data, algorithm) = (fixture(text("data")), text("algorithm"));
        let mut matrix = Matrix::new(list(&data["features"][0]).len());
        data["features"].as_array().expect("rows").iter().for_each(|row| matrix.extend(&list(row)));
        let mut numbers = list(&data["numbers"]);
        if algorithm == "poissonRegression" {
            numbers.iter_mut().for_each(|number| *number = number.abs().round_ties_even());
        }
        let parameters = &expected["parameters"];
        let what = format!("{}, {algorithm} {parameters}", text("data"));
        let Fitted { predictor, .. } = fit(algorithm, parameters, &matrix, &numbers).expect(&what);
        let sample: Vec<f64> =
            (0..matrix.rows()).step_by(25).flat_map(|row| matrix.row(row).to_vec()).collect();
        let sample = Array2::from_shape_vec((sample.len() / matrix.width(), matrix.width()), sample);
        let predictions = predictor.numbers(sample.expect("a matrix").view()).expect("predictions");
        assert_close(&what, predictions, &list(&expected["predictions"]));
        // With an L1 penalty, equally good weights of collinear columns are many.
        if text("data") != "linear_collinear" || !["lasso", "elasticNet"].contains(&algorithm) {
            let linear = predictor.linear().expect("weights");
            assert_close(&what, linear.weights().iter().copied(), &list(&expected["weights"]));
            let intercept = expected["intercept"].as_f64().expect("a number");
            assert_close(&what, linear.intercepts().iter().copied(), &[intercept]);
        }
    }
}

#[test]
fn a_penalty_that_is_strong_enough_leaves_the_mean() {
    let mut matrix = Matrix::new(1);
    (0..10).for_each(|row| matrix.extend(&[f64::from(row)]));
    let numbers: Vec<f64> = (0..10).map(|row| f64::from(row) + 1.0).collect();
    for (algorithm, expected) in [("lasso", 5.5), ("elasticNet", 5.5), ("poissonRegression", 5.5_f64.ln())] {
        let fitted = fit(algorithm, &json!({"alpha": 1e9}), &matrix, &numbers).expect("a fit");
        let linear = fitted.predictor.linear().expect("weights");
        assert!(linear.weights()[(0, 0)].abs() < 1e-7, "{algorithm}");
        assert!((linear.intercepts()[0] - expected).abs() < 1e-6, "{algorithm}: {}", linear.intercepts()[0]);
    }
}

#[test]
fn too_few_passes_end_with_a_warning() {
    let data = fixture("linear_diabetes");
    let mut matrix = Matrix::new(10);
    data["features"].as_array().expect("rows").iter().for_each(|row| matrix.extend(&list(row)));
    for algorithm in ["lasso", "elasticNet", "poissonRegression"] {
        let parameters = json!({"alpha": 1e-6, "maxIterations": 2});
        let fitted = fit(algorithm, &parameters, &matrix, &list(&data["numbers"])).expect("a fit");
        assert!(fitted.warning.expect(algorithm).contains("did not converge in 2"), "{algorithm}");
    }
}

#[test]
fn poisson_regression_refuses_targets_that_are_no_counts() {
    let mut matrix = Matrix::new(1);
    (0..3).for_each(|row| matrix.extend(&[f64::from(row)]));
    for (numbers, expected) in [([1.0, -2.0, 0.0], "is -2 in row 2"), ([0.0, 0.0, 0.0], "the target is 0")] {
        let error = fit("poissonRegression", &json!({}), &matrix, &numbers).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// What a model that is fitted to rows answers for others; each row is features and number.
fn answers(algorithm: &str, parameters: &Value, rows: &[(&[f64], f64)], asked: &[&[f64]]) -> Vec<f64> {
    let mut matrix = Matrix::new(rows[0].0.len());
    rows.iter().for_each(|(row, _)| matrix.extend(row));
    let numbers: Vec<f64> = rows.iter().map(|(_, number)| *number).collect();
    let fitted = fit(algorithm, parameters, &matrix, &numbers).expect(algorithm);
    let asked = Array2::from_shape_vec((asked.len(), asked[0].len()), asked.concat()).expect("a matrix");
    fitted.predictor.numbers(asked.view()).expect("predictions").to_vec()
}

#[test]
fn a_column_that_varies_by_rounding_alone_has_no_weight() {
    let sum = 0.1 + 0.2;
    let rows: [(&[f64], f64); 5] =
        [(&[1.0, 0.3], 1.0), (&[2.0, sum], 3.0), (&[3.0, 0.3], 4.0), (&[4.0, 0.3], 6.0), (&[5.0, sum], 7.0)];
    let asked: [&[f64]; 3] = [&[3.0, 0.3], &[3.0, 0.31], &[5.0, 0.25]];
    for (algorithm, parameters, expected) in [
        ("linearRegression", json!({}), [4.2, 4.2, 7.2]),
        ("ridge", json!({}), [4.2, 4.2, 4.2 + 2.0 * 15.0 / 11.0]),
        ("linearRegression", json!({"alpha": 1}), [4.2, 4.2, 4.2 + 2.0 * 15.0 / 11.0]),
    ] {
        assert_close(algorithm, answers(algorithm, &parameters, &rows, &asked), &expected);
    }
    let found = answers("poissonRegression", &json!({"alpha": 0}), &rows, &asked);
    assert!((found[0] - found[1]).abs() < 1e-9 && found[2] < 10.0, "{found:?}");
}

#[test]
fn a_feature_of_tiny_numbers_leaves_the_others_their_weights() {
    for size in [1e-12, 1e-15, 1e-30, 1e-100] {
        let rows: Vec<([f64; 2], f64)> =
            (0..50).map(f64::from).map(|at| ([at, size * (at * 7.0 % 5.0)], 2.0 * at + 1.0)).collect();
        let rows: Vec<(&[f64], f64)> = rows.iter().map(|(row, number)| (row.as_slice(), *number)).collect();
        let found = answers("ridge", &json!({}), &rows, &[&[10.0, 0.0], &[40.0, size]]);
        assert!((found[0] - 21.0).abs() < 0.1 && (found[1] - 81.0).abs() < 0.1, "{size}: {found:?}");
    }
}

#[test]
fn hundreds_of_columns_of_zeros_and_ones_come_to_an_end() {
    let all: &[&str] = &["ridge", "linearRegression", "lasso"];
    for (categories, count, algorithms) in [(600_usize, 1200_usize, &all[..1]), (100, 1000, all)] {
        let mut matrix = Matrix::new(categories);
        let mut numbers = Vec::new();
        for at in 0..count {
            let mut row = vec![0.0; categories];
            row[at % categories] = 1.0;
            matrix.extend(&row);
            numbers.push((at * 7919 % 1000) as f64 / 1000.0);
        }
        for algorithm in algorithms {
            let fitted = fit(algorithm, &json!({}), &matrix, &numbers).expect(algorithm);
            let linear = fitted.predictor.linear().expect("weights");
            assert!(linear.weights().iter().all(|weight| weight.is_finite()), "{algorithm}");
        }
    }
}
