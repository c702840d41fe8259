//! Why logistic regression is our own: linfa-logistic 0.8.1 ends far from the minimum on the wine data, and learns nothing at all
//! where one row's scores lie far from another's. Should a test here fail with a newer linfa, ours may go.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use linfa::Dataset;
use linfa::prelude::*;
use linfa_linear::LinearRegression as LinfaLinear;
use linfa_logistic::MultiLogisticRegression;
use mlpipeline_crds::{LinearRegression, LogisticRegression};
use mlpipeline_worker::train::{Classifier, LeastSquares, Logistic, Matrix, Regressor, Rows};
use ndarray::{Array1, Array2};
use serde_json::Value;

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).expect("a fixture")).expect("JSON")
}

fn features(data: &Value) -> (Array2<f64>, Matrix) {
    let rows = data["features"].as_array().expect("rows");
    let row = |row: &Value| -> Vec<f64> {
        row.as_array().expect("a row").iter().map(|number| number.as_f64().expect("a number")).collect()
    };
    let width = row(&rows[0]).len();
    let mut matrix = Matrix::new(width);
    rows.iter().for_each(|numbers| matrix.extend(&row(numbers)));
    let flat = rows.iter().flat_map(row).collect();
    (Array2::from_shape_vec((rows.len(), width), flat).expect("a matrix"), matrix)
}

/// The loss that both minimise, summed row by row as it is defined.
fn loss(
    weights: &Array2<f64>,
    intercepts: &Array1<f64>,
    rows: &Array2<f64>,
    classes: &[usize],
    alpha: f64,
) -> f64 {
    let mut loss = 0.5 * alpha * weights.iter().map(|weight| weight * weight).sum::<f64>();
    for (row, class) in rows.rows().into_iter().zip(classes) {
        let scores = weights.t().dot(&row) + intercepts;
        let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        loss += max + scores.mapv(|score| (score - max).exp()).sum().ln() - scores[*class];
    }
    loss
}

/// The losses that linfa's and our regression end at.
fn losses(rows: &Array2<f64>, matrix: &Matrix, classes: &[usize], alpha: f64) -> (f64, f64) {
    let dataset = Dataset::new(rows.clone(), Array1::from_vec(classes.to_vec()));
    let theirs =
        MultiLogisticRegression::default().alpha(alpha).max_iterations(200).fit(&dataset).expect("a fit");
    let ours = {
        let numbers: Vec<u32> = (0..classes.len() as u32).collect();
        let classes: Vec<u32> = classes.iter().map(|class| *class as u32).collect();
        let parameters = LogisticRegression {
            alpha: Some(alpha),
            max_iterations: Some(200),
            ..LogisticRegression::default()
        };
        let learner = Logistic::new(&parameters);
        learner
            .fit(&Rows::new(matrix, &numbers), &classes, 3)
            .expect("a fit")
            .predictor
            .linear()
            .expect("weights")
            .clone()
    };
    (
        loss(theirs.params(), theirs.intercept(), rows, classes, alpha),
        loss(&ours.weights().t().to_owned(), ours.intercepts(), rows, classes, alpha),
    )
}

#[test]
fn linfas_multinomial_regression_misses_the_minimum_that_ours_finds() {
    let data = fixture("logistic_wine");
    let (rows, matrix) = features(&data);
    let classes = data["classes"].as_array().expect("classes").iter();
    let classes: Vec<usize> = classes.map(|class| class.as_u64().expect("a class") as usize).collect();
    let (theirs, ours) = losses(&rows, &matrix, &classes, 0.01);
    assert!((ours - 0.900_907_5).abs() < 1e-6, "{ours}");
    assert!(theirs > 10.0 * ours, "{theirs}");
}

#[test]
fn linfas_multinomial_regression_learns_nothing_of_a_wide_feature() {
    let rows = Array2::from_shape_fn((300, 1), |(row, _)| row as f64 * 100.0);
    let mut matrix = Matrix::new(1);
    rows.iter().for_each(|number| matrix.extend(&[*number]));
    let classes: Vec<usize> = (0..300).map(|row| ((row + (row * 7919) % 23) / 110).min(2)).collect();
    let (theirs, ours) = losses(&rows, &matrix, &classes, 1.0);
    assert!((theirs - 300.0 * 3.0_f64.ln()).abs() < 1e-6, "linfa's weights are no longer 0: {theirs}");
    assert!(ours < 30.0, "{ours}");
}

#[test]
fn where_linfas_least_squares_is_sound_ours_agrees() {
    let data = fixture("linear_diabetes");
    let (rows, matrix) = features(&data);
    let numbers: Vec<f64> = data["numbers"]
        .as_array()
        .expect("numbers")
        .iter()
        .map(|number| number.as_f64().expect("a number"))
        .collect();
    let places: Vec<u32> = (0..numbers.len() as u32).collect();
    let learner = LeastSquares::new(&LinearRegression::default());
    let ours = learner.fit(&Rows::new(&matrix, &places), &numbers).expect("a fit").predictor;
    let ours = ours.linear().expect("weights");
    let theirs = LinfaLinear::new().fit(&Dataset::new(rows, Array1::from_vec(numbers))).expect("a fit");
    for (ours, theirs) in ours.weights().row(0).iter().zip(theirs.params()) {
        assert!((ours - theirs).abs() < 1e-8 * (1.0 + theirs.abs()), "{ours} {theirs}");
    }
}
