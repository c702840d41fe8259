//! What is learnt is what scikit-learn learns, on real data, well and badly scaled. The fixtures are written by
//! tests/reference/sklearn_fixtures.py.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use mlpipeline_crds::{LinearRegression, LogisticRegression};
use mlpipeline_worker::model::LinearPredictor;
use mlpipeline_worker::train::{Classifier, LeastSquares, Logistic, Matrix, Regressor, Rows};
use ndarray::Array2;
use serde_json::Value;

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).expect("a fixture")).expect("JSON")
}

fn list(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|number| number.as_f64().expect("a number")).collect()
}

fn flat(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().flat_map(list).collect()
}

fn matrix(value: &Value) -> Matrix {
    let rows = value.as_array().expect("rows");
    let mut matrix = Matrix::new(list(&rows[0]).len());
    rows.iter().for_each(|row| matrix.extend(&list(row)));
    matrix
}

/// Every 25th row, of which the fixtures have the predictions.
fn sample(matrix: &Matrix) -> Array2<f64> {
    let rows: Vec<f64> = (0..matrix.rows()).step_by(25).flat_map(|row| matrix.row(row).to_vec()).collect();
    Array2::from_shape_vec((rows.len() / matrix.width(), matrix.width()), rows).expect("a matrix")
}

/// Equal to within 1e-5, or to six digits where numbers are large.
#[track_caller]
fn assert_close(what: &str, found: impl IntoIterator<Item = f64>, expected: &[f64]) {
    let found: Vec<f64> = found.into_iter().collect();
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() <= 1e-5_f64.max(1e-6 * expected.abs()),
            "{what}: {found} instead of {expected}"
        );
    }
}

fn fit(parameters: LogisticRegression, matrix: &Matrix, rows: &[u32], classes: &[u32]) -> LinearPredictor {
    let count = *classes.iter().max().expect("classes") as usize + 1;
    let learner = Logistic::new(&parameters);
    let fitted = learner.fit(&Rows::new(matrix, rows), classes, count).expect("a fit");
    assert_eq!(fitted.warning, None);
    fitted.predictor.linear().expect("weights").clone()
}

#[test]
fn logistic_regression_learns_what_scikit_learn_does() {
    for name in ["iris", "wine", "breast_cancer"] {
        let data = fixture(&format!("logistic_{name}"));
        let matrix = matrix(&data["features"]);
        let classes: Vec<u32> = list(&data["classes"]).iter().map(|class| *class as u32).collect();
        let rows: Vec<u32> = (0..classes.len() as u32).collect();
        for expected in data["fits"].as_array().expect("fits") {
            let alpha = expected["alpha"].as_f64();
            let what = format!("{name}, alpha {alpha:?}");
            let found =
                fit(LogisticRegression { alpha, ..LogisticRegression::default() }, &matrix, &rows, &classes);
            assert_close(&what, found.weights().iter().copied(), &flat(&expected["weights"]));
            assert_close(&what, found.intercepts().iter().copied(), &list(&expected["intercepts"]));
            let mlpipeline_worker::model::Predictions::Classes { probabilities, .. } =
                found.classes(sample(&matrix).view()).expect("predictions")
            else {
                panic!("a classifier gives classes");
            };
            assert_close(&what, probabilities, &flat(&expected["probabilities"]));
        }
    }
}

#[test]
fn linear_regression_learns_what_scikit_learn_does_also_of_collinear_and_few_rows() {
    for name in ["diabetes", "collinear", "wide"] {
        let data = fixture(&format!("linear_{name}"));
        let matrix = matrix(&data["features"]);
        let numbers = list(&data["numbers"]);
        let rows: Vec<u32> = (0..numbers.len() as u32).collect();
        for expected in data["fits"].as_array().expect("fits") {
            let alpha = expected["alpha"].as_f64();
            let what = format!("{name}, alpha {alpha:?}");
            let learner = LeastSquares::new(&LinearRegression { alpha, fit_intercept: None });
            let found = learner.fit(&Rows::new(&matrix, &rows), &numbers).expect("a fit").predictor;
            let found = found.linear().expect("weights");
            assert_close(&what, found.weights().iter().copied(), &list(&expected["weights"]));
            assert_close(
                &what,
                found.intercepts().iter().copied(),
                &[expected["intercept"].as_f64().expect("a number")],
            );
            assert_close(
                &what,
                found.numbers(sample(&matrix).view()).expect("predictions"),
                &list(&expected["predictions"]),
            );
        }
    }
}

/// The Iris data that the crash course uses, with classes in the labels' order.
fn iris() -> (Matrix, Vec<u32>) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/samples/crash-course/data/iris.csv");
    let text = std::fs::read_to_string(path).expect("the Iris data");
    let (mut matrix, mut classes) = (Matrix::new(4), Vec::new());
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        matrix
            .extend(&fields[..4].iter().map(|field| field.parse().expect("a number")).collect::<Vec<f64>>());
        classes.push(
            ["setosa", "versicolor", "virginica"]
                .iter()
                .position(|label| *label == fields[4])
                .expect("a label") as u32,
        );
    }
    (matrix, classes)
}

#[test]
fn iris_five_fold_accuracy_is_scikit_learns_on_the_same_folds() {
    let expected = fixture("iris_folds");
    let folds: Vec<usize> = list(&expected["folds"]).iter().map(|fold| *fold as usize).collect();
    let (matrix, classes) = iris();
    let mut accuracies = Vec::new();
    for fold in 0..5 {
        let train: Vec<u32> = (0..150).filter(|row| folds[*row as usize] != fold).collect();
        let test: Vec<u32> = (0..150).filter(|row| folds[*row as usize] == fold).collect();
        let found = fit(
            LogisticRegression {
                alpha: Some(1.0),
                max_iterations: Some(200),
                ..LogisticRegression::default()
            },
            &matrix,
            &train,
            &classes,
        );
        let rows: Vec<f64> = test.iter().flat_map(|row| matrix.row(*row as usize).to_vec()).collect();
        let rows = Array2::from_shape_vec((test.len(), 4), rows).expect("a matrix");
        let mlpipeline_worker::model::Predictions::Classes { index, .. } =
            found.classes(rows.view()).expect("classes")
        else {
            panic!("a classifier gives classes");
        };
        let right =
            index.iter().zip(&test).filter(|(index, row)| **index as u32 == classes[**row as usize]).count();
        accuracies.push(right as f64 / test.len() as f64);
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (found, expected) = (mean(&accuracies), mean(&list(&expected["accuracies"])));
    assert!((found - expected).abs() <= 0.005, "{found} instead of {expected}");
}

#[test]
fn classes_that_are_distinguished_without_a_penalty_end_with_a_warning_and_never_panic() {
    let mut matrix = Matrix::new(1);
    (0..40).for_each(|row| matrix.extend(&[f64::from(row)]));
    let classes: Vec<u32> = (0..40).map(|row| u32::from(row >= 20)).collect();
    let rows: Vec<u32> = (0..40).collect();
    let learner = Logistic::new(&LogisticRegression {
        alpha: Some(0.0),
        max_iterations: Some(3),
        ..LogisticRegression::default()
    });
    let fitted = learner.fit(&Rows::new(&matrix, &rows), &classes, 2).expect("a fit");
    assert!(fitted.warning.expect("3 iterations are too few").contains("did not converge in 3 iterations"));
    let learner = Logistic::new(&LogisticRegression { alpha: Some(0.0), ..LogisticRegression::default() });
    let fitted = learner.fit(&Rows::new(&matrix, &rows), &classes, 2).expect("a fit");
    let endless = learner.endless(&Rows::new(&matrix, &rows), &classes, 2, &fitted.predictor);
    assert_eq!(endless.expect("weights without a limit").places, [0]);
    let found = fitted.predictor.linear().expect("weights");
    assert!(found.weights()[(0, 0)] > 5.0 && found.weights()[(0, 0)].is_finite());
}

#[test]
fn the_number_of_rows_and_their_blocks_do_not_matter() {
    // The same 150 flowers 40 times over, with 40 times the penalty, are the same problem over several shards.
    let (matrix, classes) = iris();
    let (mut many, mut many_classes) = (Matrix::new(4), Vec::new());
    for _ in 0..40 {
        (0..150).for_each(|row| many.extend(&matrix.row(row)));
        many_classes.extend(&classes);
    }
    let once: Vec<u32> = (0..150).collect();
    let often: Vec<u32> = (0..6000).collect();
    let parameters = |alpha| LogisticRegression { alpha: Some(alpha), ..LogisticRegression::default() };
    let expected = fit(parameters(1.0), &matrix, &once, &classes);
    let found = fit(parameters(40.0), &many, &often, &many_classes);
    assert_close(
        "weights",
        found.weights().iter().copied(),
        expected.weights().as_slice().expect("in order"),
    );
    assert_eq!(found, fit(parameters(40.0), &many, &often, &many_classes));
}
