//! Trees, boosting and naive Bayes predict what scikit-learn's do, on real data with and without holes, and forests what their seed says.
//! The fixture is written by tests/reference/tree_fixtures.py.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use mlpipeline_crds::Algorithm;
use mlpipeline_worker::model::{Predictions, Predictor};
use mlpipeline_worker::train::{Learner, Matrix, MatrixColumn, MatrixKind, Names, Rows, TrainError};
use ndarray::Array2;
use serde_json::{Value, json};

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).expect("a fixture")).expect("JSON")
}

/// Rows of features with a target, which is classes or numbers.
struct Data {
    matrix: Matrix,
    classes: Option<Vec<u32>>,
    numbers: Vec<f64>,
}

impl Data {
    /// The rows of a fixture; with holes, every so many values are missing.
    fn read(name: &str, holes: Option<u64>) -> Self {
        let document = fixture(name);
        let number = |value: &Value| value.as_f64().expect("a number");
        let rows = document["features"].as_array().expect("rows");
        let width = rows[0].as_array().expect("a row").len();
        let values = rows.iter().flat_map(|row| row.as_array().expect("a row")).map(number).enumerate();
        let hole = |place: usize| holes.is_some_and(|holes| (place as u64).is_multiple_of(holes));
        let values: Vec<f64> =
            values.map(|(place, value)| if hole(place) { f64::NAN } else { value }).collect();
        let mut matrix = Matrix::new(width);
        matrix.extend(&values);
        let list = |name: &str| Some(document[name].as_array()?.iter().map(number).collect::<Vec<_>>());
        let classes = list("classes").map(|classes| classes.iter().map(|class| *class as u32).collect());
        Self { matrix, classes, numbers: list("numbers").unwrap_or_default() }
    }

    fn fit(&self, algorithm: &str, mut parameters: Value) -> Result<Predictor, TrainError> {
        if self.classes.is_none() {
            parameters["task"] = json!("regression");
        }
        let algorithm: Algorithm =
            serde_json::from_value(json!({algorithm: parameters})).expect("an algorithm");
        let rows: Vec<u32> = (0..self.matrix.rows() as u32).collect();
        let rows = Rows::new(&self.matrix, &rows);
        let names: Vec<String> = (0..self.matrix.width()).map(|place| format!("x{place}")).collect();
        let columns: Vec<MatrixColumn<'_>> =
            names.iter().map(|name| MatrixColumn { name, kind: MatrixKind::Number }).collect();
        let fitted = match (Learner::new(&algorithm)?.0, &self.classes) {
            (Learner::Classifier(learner), Some(classes)) => {
                let count = *classes.iter().max().expect("classes") as usize + 1;
                let labels: Vec<String> = (0..count).map(|class| class.to_string()).collect();
                let placed = learner.placed(&Names { columns: &columns, classes: &labels })?;
                placed.as_ref().unwrap_or(&learner).fit(&rows, classes, count)
            }
            (Learner::Regressor(learner), None) => {
                let placed = learner.placed(&Names { columns: &columns, classes: &[] })?;
                placed.as_ref().unwrap_or(&learner).fit(&rows, &self.numbers)
            }
            _ => panic!("the task is the target's"),
        };
        Ok(fitted?.predictor)
    }

    /// What is predicted for every so many rows, rows after each other.
    fn predict(&self, predictor: &Predictor, step: usize) -> Vec<f64> {
        let rows: Vec<f64> =
            (0..self.matrix.rows()).step_by(step).flat_map(|row| self.matrix.row(row).to_vec()).collect();
        let width = self.matrix.width();
        let rows = Array2::from_shape_vec((rows.len() / width, width), rows).expect("a matrix");
        if self.classes.is_none() {
            return predictor.numbers(rows.view()).expect("numbers").to_vec();
        }
        match predictor.classes(rows.view()).expect("classes") {
            Predictions::Classes { probabilities, .. } => probabilities.iter().copied().collect(),
            Predictions::Numbers(_) | Predictions::Findings { .. } => panic!("a classifier gives classes"),
        }
    }

    /// The share of rows whose class is predicted.
    fn accuracy(&self, predictor: &Predictor) -> f64 {
        let classes = self.classes.as_ref().expect("classes");
        let shares = self.predict(predictor, 1);
        let width = shares.len() / classes.len();
        let right = shares.chunks(width).zip(classes).filter(|(shares, class)| {
            let class = shares[**class as usize];
            shares.iter().all(|share| *share <= class)
        });
        right.count() as f64 / classes.len() as f64
    }
}

fn flat(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(flat).collect(),
        number => vec![number.as_f64().expect("a number")],
    }
}

#[test]
fn trees_boosting_and_naive_bayes_predict_what_scikit_learn_does() {
    for case in fixture("trees").as_array().expect("cases") {
        let (name, algorithm) =
            (case["data"].as_str().expect("a name"), case["algorithm"].as_str().expect("a name"));
        let mut data = Data::read(name, case["holes"].as_u64());
        if case["binary"] == json!(true) {
            data.classes =
                data.classes.map(|classes| classes.iter().map(|class| u32::from(*class == 2)).collect());
        }
        let predictor = data.fit(algorithm, case["parameters"].clone()).expect("a fit");
        let (found, expected) = (data.predict(&predictor, 25), flat(&case["predictions"]));
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            let near = (found - expected).abs() <= 1e-6 * expected.abs().max(1.0);
            assert!(near, "{algorithm} of {name}, holes {}: {found} instead of {expected}", case["holes"]);
        }
    }
}

#[test]
fn forests_learn_and_depend_on_the_seed_alone() {
    let data = Data::read("logistic_wine", None);
    for algorithm in ["randomForest", "extraTrees"] {
        let fit = |seed: u64| data.fit(algorithm, json!({"nEstimators": 20, "seed": seed})).expect("a fit");
        let forest = fit(1);
        assert_eq!(forest, fit(1), "{algorithm}");
        assert_ne!(forest, fit(2), "{algorithm}");
        assert!(data.accuracy(&forest) > 0.98, "{algorithm}: {}", data.accuracy(&forest));
    }
}

#[test]
fn a_tree_without_limits_knows_the_rows_that_it_learnt_from() {
    let wine = Data::read("logistic_wine", None);
    let tree = wine.fit("decisionTree", json!({})).expect("a fit");
    assert_eq!(wine.accuracy(&tree), 1.0);
    let diabetes = Data::read("linear_diabetes", None);
    let tree = diabetes.fit("decisionTree", json!({})).expect("a fit");
    assert_eq!(diabetes.predict(&tree, 1), diabetes.numbers);
}

#[test]
fn only_boosting_takes_rows_without_a_value() {
    let data = Data::read("logistic_iris", Some(7));
    for algorithm in ["decisionTree", "randomForest", "extraTrees"] {
        let error = data.fit(algorithm, json!({})).expect_err("values are missing").to_string();
        assert!(error.contains("no value in row 1") && error.contains("gradientBoosting"), "{error}");
    }
    let boosting = data.fit("gradientBoosting", json!({})).expect("a fit");
    assert!(data.accuracy(&boosting) > 0.97);
}

#[test]
fn a_constrained_column_never_moves_a_prediction_the_other_way() {
    let data = Data::read("linear_diabetes", None);
    let parameters =
        json!({"minSamplesLeaf": 3, "monotonicConstraints": {"x2": "increasing", "x3": "decreasing"}});
    let predictor = data.fit("gradientBoosting", parameters).expect("a fit");
    for (column, sign) in [(2, 1.0), (3, -1.0)] {
        for row in (0..data.matrix.rows()).step_by(17) {
            let steps = (-20..=20).map(|step| f64::from(step) * 0.01);
            let moved: Vec<f64> = steps
                .flat_map(|value| {
                    let mut moved = data.matrix.row(row).to_vec();
                    moved[column] = value;
                    moved
                })
                .collect();
            let rows = Array2::from_shape_vec((41, data.matrix.width()), moved).expect("rows");
            let found = predictor.numbers(rows.view()).expect("numbers").to_vec();
            assert!(found.windows(2).all(|pair| sign * (pair[1] - pair[0]) >= 0.0), "x{column}: {found:?}");
        }
    }
}

#[test]
fn constraints_that_name_what_is_not_there_are_refused() {
    let refused = |name: &str, constraints: Value| {
        let error =
            Data::read(name, None).fit("gradientBoosting", json!({"monotonicConstraints": constraints}));
        error.expect_err("refused").to_string()
    };
    let error = refused("linear_diabetes", json!({"age": "increasing"}));
    assert!(error.contains("monotonicConstraints.age") && error.contains("x0, x1"), "{error}");
    let error = refused("logistic_iris", json!({"x0": "increasing"}));
    assert!(error.contains("the target has 3 classes"), "{error}");
}

#[test]
fn data_without_a_split_give_a_tree_of_one_leaf() {
    let mut matrix = Matrix::new(1);
    matrix.extend(&[3.0; 40]);
    let data = Data { matrix, classes: None, numbers: (0..40).map(f64::from).collect() };
    for algorithm in ["decisionTree", "randomForest", "extraTrees", "gradientBoosting"] {
        let parameters =
            if algorithm == "gradientBoosting" { json!({}) } else { json!({"minSamplesLeaf": 2}) };
        let predictor = data.fit(algorithm, parameters).expect("a fit");
        let found = data.predict(&predictor, 40)[0];
        assert!((found - 19.5).abs() < 3.0, "{algorithm}: {found}");
    }
}

#[test]
fn boosting_splits_sets_of_categories_as_scikit_learn_does() {
    for case in fixture("boosting_categories").as_array().expect("cases") {
        let (rows, codes) =
            (case["features"].as_array().expect("rows"), case["codes"].as_array().expect("codes"));
        let value = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
        let values: Vec<f64> =
            rows.iter().flat_map(|row| row.as_array().expect("a row")).map(value).collect();
        let mut matrix = Matrix::new(codes.len());
        matrix.extend(&values);
        let numbers = flat(&case["targets"]);
        let is_class = case["kind"] != "numbers";
        let task = if is_class { "classification" } else { "regression" };
        let parameters = json!({
            "task": task, "maxIterations": 20, "maxLeafNodes": 7, "minSamplesLeaf": 5, "learningRate": 0.2, "l2Regularization": 1.5,
            "categories": "subsets",
        });
        let algorithm: Algorithm =
            serde_json::from_value(json!({"gradientBoosting": parameters})).expect("an algorithm");
        let columns: Vec<MatrixColumn<'_>> = codes
            .iter()
            .map(|codes| MatrixColumn {
                name: "x",
                kind: codes.as_u64().map_or(MatrixKind::Number, |codes| MatrixKind::Codes(codes as usize)),
            })
            .collect();
        let learnt: Vec<u32> = (0..case["learnt"].as_u64().expect("a number") as u32).collect();
        let rows = Rows::new(&matrix, &learnt);
        let predictor = match Learner::new(&algorithm).expect("a learner").0 {
            Learner::Classifier(learner) => {
                assert_eq!(learner.most_codes(), Some(254));
                let classes: Vec<u32> = numbers.iter().map(|class| *class as u32).collect();
                let labels: Vec<String> =
                    (0..=*classes.iter().max().expect("classes")).map(|class| class.to_string()).collect();
                let names = Names { columns: &columns, classes: &labels };
                let placed = learner.placed(&names).expect("places").expect("codes");
                placed.fit(&rows, &classes, labels.len())
            }
            Learner::Regressor(learner) => {
                let placed = learner.placed(&Names { columns: &columns, classes: &[] });
                placed.expect("places").expect("codes").fit(&rows, &numbers)
            }
            Learner::Finder(_) => panic!("boosting has a target"),
        };
        let predictor = predictor.expect("a fit").predictor;
        let trees = predictor.trees().expect("trees").trees();
        assert!(trees.iter().any(|tree| !tree.sets().is_empty()), "no set was split");
        let data = Data { matrix, classes: is_class.then(Vec::new), numbers: Vec::new() };
        let (found, expected) = (data.predict(&predictor, 5), flat(&case["predictions"]));
        assert_eq!(found.len(), expected.len());
        for (row, (found, expected)) in found.iter().zip(expected).enumerate() {
            let near = (found - expected).abs() <= 1e-6 * expected.abs().max(1.0);
            assert!(near, "{}, prediction {row}: {found} instead of {expected}", case["kind"]);
        }
    }
}
