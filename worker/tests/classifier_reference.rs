//! Naive Bayes of counts, linear support vector machines, balanced logistic regression and nearest neighbours learn what
//! scikit-learn's do. The fixture is written by tests/reference/classifier_fixtures.py.

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

fn flat(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().flat_map(list).collect()
}

fn fit(expected: &Value, matrix: &Matrix, targets: &[f64], train: usize) -> Predictor {
    let name = expected["algorithm"].as_str().expect("a name");
    let mut parameters = expected["parameters"].clone();
    if name == "kNeighbors" && fixture(expected["data"].as_str().expect("a name")).get("numbers").is_some() {
        parameters["task"] = json!("regression");
    }
    let algorithm: Algorithm = serde_json::from_value(json!({name: parameters})).expect("an algorithm");
    let rows: Vec<u32> = (0..train as u32).collect();
    let rows = Rows::new(matrix, &rows);
    let fitted = match Learner::new(&algorithm).expect("a learner").0 {
        Learner::Classifier(learner) => {
            let classes: Vec<u32> = targets.iter().map(|class| *class as u32).collect();
            learner.fit(&rows, &classes, *classes.iter().max().expect("classes") as usize + 1)
        }
        Learner::Regressor(learner) => learner.fit(&rows, targets),
        Learner::Finder(_) => panic!("{name} learns without a target"),
    };
    let fitted = fitted.expect("a fit");
    assert_eq!(fitted.warning, None, "{name}");
    fitted.predictor
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
fn classifiers_and_neighbours_learn_what_scikit_learns_do() {
    for expected in fixture("classifiers").as_array().expect("fits") {
        let text = |key: &str| expected[key].as_str().expect("text");
        let data = fixture(text("data"));
        let what = format!("{}, {} {}", text("data"), text("algorithm"), expected["parameters"]);
        let rows: Vec<Vec<f64>> = data["features"].as_array().expect("rows").iter().map(list).collect();
        let targets = list(data.get("classes").unwrap_or(&data["numbers"]));
        let order: Vec<usize> = list(&expected["order"]).iter().map(|row| *row as usize).collect();
        let train = expected["train"].as_u64().expect("a number") as usize;
        let mut matrix = Matrix::new(rows[0].len());
        order.iter().for_each(|row| matrix.extend(&rows[*row]));
        let targets: Vec<f64> = order.iter().map(|row| targets[*row]).collect();
        let predictor = fit(expected, &matrix, &targets, train);
        if let Some(weights) = expected.get("weights") {
            let linear = predictor.linear().expect("weights");
            assert_close(&what, linear.weights().iter().copied(), &flat(weights));
            assert_close(&what, linear.intercepts().iter().copied(), &list(&expected["intercepts"]));
            continue;
        }
        let rest: Vec<f64> = (train..order.len()).flat_map(|row| matrix.row(row).to_vec()).collect();
        let rest = Array2::from_shape_vec((order.len() - train, matrix.width()), rest).expect("a matrix");
        let predictions = flat(&expected["predictions"]);
        if data.get("classes").is_some() {
            match predictor.classes(rest.view()).expect("predictions") {
                Predictions::Classes { probabilities, .. } => {
                    assert_close(&what, probabilities, &predictions)
                }
                Predictions::Numbers(_) | Predictions::Findings { .. } => {
                    panic!("{what}: a classifier gives classes")
                }
            }
        } else {
            assert_close(&what, predictor.numbers(rest.view()).expect("predictions"), &predictions);
        }
    }
}

#[test]
fn what_cannot_be_learned_is_refused_with_advice() {
    let mut matrix = Matrix::new(2);
    [[1.0, 2.0], [0.0, -3.0], [1.0, 1.0]].iter().for_each(|row| matrix.extend(row));
    let rows = Rows::new(&matrix, &[0, 1, 2]);
    for (name, expected) in [
        ("multinomialNaiveBayes", "feature 2 is -3 in row 2"),
        ("kNeighbors", "nNeighbors is 5, and there are 3 rows"),
    ] {
        let algorithm: Algorithm = serde_json::from_value(json!({name: {}})).expect("an algorithm");
        let Learner::Classifier(learner) = Learner::new(&algorithm).expect("a learner").0 else {
            panic!("a classifier");
        };
        let error = learner.fit(&rows, &[0, 1, 1], 2).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }
}
