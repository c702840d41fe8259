//! Every algorithm on rows that are hard to learn from: a model of finite numbers, or an error with advice, and never a panic.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use mlpipeline_crds::{Algorithm, Predicts};
use mlpipeline_worker::model::Predictions;
use mlpipeline_worker::train::{Fitted, Learner, Matrix, Rows, TrainError};
use ndarray::Array2;
use serde_json::{Value, json};

/// Rows with a class or a number each.
struct Hard {
    what: &'static str,
    rows: Vec<Vec<f64>>,
    targets: Vec<f64>,
}

fn hard(what: &'static str, rows: Vec<Vec<f64>>, target: impl Fn(usize) -> f64) -> Hard {
    let targets = (0..rows.len()).map(target).collect();
    Hard { what, rows, targets }
}

/// A number between 0 and 1 that looks random.
fn noise(place: usize) -> f64 {
    ((place as f64 + 1.0) * 12.9898).sin().mul_add(43758.5453, 0.0).fract().abs()
}

fn cases() -> Vec<Hard> {
    let rows = |count: usize, row: &dyn Fn(usize) -> Vec<f64>| (0..count).map(row).collect::<Vec<_>>();
    let half = |count: usize| move |row: usize| f64::from(u8::from(row >= count / 2));
    vec![
        hard("perfect separation", rows(40, &|row| vec![row as f64, noise(row)]), half(40)),
        hard(
            "separated, and far from 0",
            rows(40, &|row| vec![1e9 + row as f64, 1e-9 * noise(row)]),
            half(40),
        ),
        hard("collinear", rows(40, &|row| vec![noise(row), 2.0 * noise(row), noise(row) + 1.0]), |row| {
            f64::from(u8::from(noise(row + 99) > 0.5))
        }),
        hard("constant columns", rows(20, &|_| vec![3.0, 0.0]), half(20)),
        hard(
            "more features than rows",
            rows(6, &|row| (0..30).map(|f| noise(row * 30 + f)).collect()),
            half(6),
        ),
        hard("one row a class", rows(6, &|row| vec![row as f64, noise(row)]), |row| row as f64),
        hard("two rows", rows(2, &|row| vec![row as f64]), half(2)),
        hard("one of ten thousand", rows(10_001, &|row| vec![noise(row), noise(row + 7)]), |row| {
            f64::from(u8::from(row == 5000))
        }),
        hard(
            "huge and tiny numbers",
            rows(30, &|row| vec![1e90 * noise(row), 1e-90 * noise(row + 3)]),
            half(30),
        ),
        hard("the same row with every class", rows(12, &|_| vec![1.0, 2.0]), |row| (row % 3) as f64),
    ]
}

/// The parameters that an algorithm is tried with: for classes and for numbers, and each of its ways to learn.
fn variants(algorithm: &str) -> Vec<Value> {
    match algorithm {
        "logisticRegression" => vec![
            json!({}),
            json!({"penalty": "none"}),
            json!({"penalty": "l1", "alpha": 0.01}),
            json!({"penalty": "elasticNet", "l1Ratio": 0.5, "alpha": 100}),
        ],
        "gradientBoosting" => vec![
            json!({}),
            json!({"earlyStopping": "always", "validationFraction": 0.3}),
            json!({"task": "regression", "earlyStopping": "always", "validationFraction": 0.3}),
            json!({"task": "regression", "loss": "quantile", "quantile": 0.9}),
            json!({"task": "regression", "loss": "absoluteError"}),
            json!({"task": "regression", "loss": "poisson", "learningRate": 5}),
        ],
        other if Algorithm::parameter_names(other).contains("task") => {
            vec![json!({"task": "classification"}), json!({"task": "regression"})]
        }
        _ => vec![json!({})],
    }
}

fn fit(algorithm: &str, mut parameters: Value, case: &Hard) -> (Result<Fitted, TrainError>, Predicts) {
    // Without it, a forest of 100 trees on 10,001 rows takes a second without optimisation.
    if Algorithm::parameter_names(algorithm).contains("nEstimators") {
        parameters["nEstimators"] = json!(5);
    }
    let spec: Algorithm = serde_json::from_value(json!({algorithm: parameters})).expect("an algorithm");
    let mut matrix = Matrix::new(case.rows[0].len());
    case.rows.iter().for_each(|row| matrix.extend(row));
    let numbers: Vec<u32> = (0..case.rows.len() as u32).collect();
    let rows = Rows::new(&matrix, &numbers);
    let predicts = spec.chosen().expect("one").predicts();
    match Learner::new(&spec).expect("a learner").0 {
        Learner::Classifier(learner) => {
            let classes: Vec<u32> = case.targets.iter().map(|target| *target as u32).collect();
            let count = *classes.iter().max().expect("classes") as usize + 1;
            (learner.fit(&rows, &classes, count), predicts)
        }
        Learner::Regressor(learner) => (learner.fit(&rows, &case.targets), predicts),
        Learner::Finder(learner) => (learner.fit(&rows), predicts),
    }
}

#[test]
fn every_algorithm_learns_finite_numbers_from_hard_rows_or_says_why_not() {
    for case in cases() {
        let sample: Vec<f64> =
            case.rows.iter().step_by(case.rows.len().div_ceil(50)).flatten().copied().collect();
        let width = case.rows[0].len();
        let sample = Array2::from_shape_vec((sample.len() / width, width), sample).expect("a matrix");
        for name in Algorithm::NAMES {
            for parameters in variants(name) {
                let what = format!("{}, {name} {parameters}", case.what);
                let (fitted, predicts) = fit(name, parameters, &case);
                let predictor = match fitted {
                    Ok(fitted) => fitted.predictor,
                    Err(error) => {
                        let message = error.to_string();
                        let advice = ["leave", "raise", "lower", "use", "scale", "nothing"];
                        assert!(advice.iter().any(|word| message.contains(word)), "{what}: {message}");
                        continue;
                    }
                };
                let predictions = match predicts {
                    Predicts::Classes => predictor.classes(sample.view()),
                    Predicts::Numbers => predictor.numbers(sample.view()).map(Predictions::Numbers),
                    Predicts::Clusters | Predicts::Outliers | Predicts::Components => {
                        predictor.findings(sample.view())
                    }
                };
                match predictions.expect(&what) {
                    Predictions::Classes { probabilities, .. } => {
                        for row in probabilities.rows() {
                            assert!((row.sum() - 1.0).abs() < 1e-9, "{what}: {row}");
                        }
                    }
                    Predictions::Numbers(numbers) => {
                        assert!(numbers.iter().all(|number| number.is_finite()), "{what}: {numbers}");
                    }
                    Predictions::Findings { numbers, .. } => {
                        assert!(numbers.iter().all(|number| number.is_finite()), "{what}: {numbers}");
                    }
                }
            }
        }
    }
}
