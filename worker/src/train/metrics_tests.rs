use mlpipeline_crds::Metric;
use ndarray::{Array1, Array2};
use serde_json::Value;

use super::super::matrix::Matrix;
use super::*;

/// What scikit-learn answers; see tests/reference/sklearn_fixtures.py.
fn fixture() -> Value {
    serde_json::from_str(include_str!("../../tests/fixtures/metrics.json")).expect("a fixture")
}

fn list(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|number| number.as_f64().expect("a number")).collect()
}

/// A matrix whose only feature is the row's number, so that a prediction can be looked up.
fn numbered(rows: usize) -> (Matrix, Vec<u32>) {
    let mut matrix = Matrix::new(1);
    (0..rows).for_each(|row| matrix.extend(&[row as f64]));
    (matrix, (0..rows as u32).collect())
}

#[track_caller]
fn assert_alike(found: &Metrics, expected: &Value, metrics: &[Metric]) {
    assert_eq!(found.len(), metrics.len(), "{found:?}");
    for metric in metrics {
        let (found, expected) = (found[metric.name()], expected[metric.name()].as_f64().expect("a number"));
        assert!((found - expected).abs() < 1e-12, "{}: {found} instead of {expected}", metric.name());
    }
}

#[test]
fn classification_metrics_are_scikit_learns() {
    let fixture = fixture();
    let classes: Vec<u32> = list(&fixture["classes"]).iter().map(|class| *class as u32).collect();
    let rows: Vec<Vec<f64>> = fixture["probabilities"].as_array().expect("rows").iter().map(list).collect();
    let (matrix, numbers) = numbered(rows.len());
    let predict = |block: ArrayView2<'_, f64>| {
        let probabilities =
            Array2::from_shape_fn((block.nrows(), 4), |(row, class)| rows[block[(row, 0)] as usize][class]);
        let best = |row: ndarray::ArrayView1<'_, f64>| {
            (0..4).max_by(|a, b| row[*a].total_cmp(&row[*b])).expect("four classes")
        };
        Ok(Predictions::Classes {
            index: probabilities.rows().into_iter().map(best).collect(),
            probabilities,
        })
    };
    let found = measure_classes(&Rows::new(&matrix, &numbers), &classes, 4, &predict).expect("metrics");
    let metrics = [Metric::Accuracy, Metric::BalancedAccuracy, Metric::F1Macro, Metric::LogLoss];
    assert_alike(&found, &fixture["classification"], &metrics);
}

#[test]
fn regression_metrics_are_scikit_learns() {
    let fixture = fixture();
    let (targets, guesses) = (list(&fixture["numbers"]), list(&fixture["predictions"]));
    let (matrix, numbers) = numbered(targets.len());
    let predict = |block: ArrayView2<'_, f64>| {
        Ok(Predictions::Numbers(Array1::from_shape_fn(block.nrows(), |row| {
            guesses[block[(row, 0)] as usize]
        })))
    };
    let found = measure_numbers(&Rows::new(&matrix, &numbers), &targets, &predict).expect("metrics");
    assert_alike(&found, &fixture["regression"], &[Metric::R2, Metric::Rmse, Metric::Mae]);
}

#[test]
fn of_a_constant_target_r2_is_not_measured() {
    let (matrix, numbers) = numbered(3);
    let predict = |block: ArrayView2<'_, f64>| Ok(Predictions::Numbers(Array1::zeros(block.nrows())));
    let found = measure_numbers(&Rows::new(&matrix, &numbers), &[2.0; 3], &predict).expect("metrics");
    assert_eq!(found, Metrics::from([("mae".to_owned(), 2.0), ("rmse".to_owned(), 2.0)]));
}

#[test]
fn a_class_that_the_rows_do_not_know_is_never_right() {
    let (matrix, numbers) = numbered(4);
    let predict = |block: ArrayView2<'_, f64>| {
        Ok(Predictions::Classes { index: vec![0, 2, 2, 1], probabilities: Array2::zeros((block.nrows(), 2)) })
    };
    let found = measure_classes(&Rows::new(&matrix, &numbers), &[0, 0, 1, 1], 2, &predict).expect("metrics");
    assert_eq!(found["accuracy"], 0.5);
    assert!(found["logLoss"].is_finite());
}
