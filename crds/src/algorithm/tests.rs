//! The table of algorithms agrees with specs, and parameters are checked.

use serde_json::json;

use super::*;

fn algorithm(value: serde_json::Value) -> Algorithm {
    serde_json::from_value(value).expect("an algorithm")
}

#[test]
fn the_table_names_each_algorithm_as_specs_do() {
    for name in Algorithm::NAMES {
        let algorithm = algorithm(json!({*name: {}}));
        let chosen = algorithm.chosen().expect("one");
        assert_eq!(chosen.name(), *name);
        assert!(chosen.problems().is_empty(), "{name}: its defaults are within its bounds");
    }
    assert!(algorithm(json!({})).chosen().is_none());
    assert!(algorithm(json!({"logisticRegression": {}, "linearRegression": {}})).chosen().is_none());
}

#[test]
fn every_parameter_is_listed() {
    let names = |algorithm| Algorithm::parameter_names(algorithm).into_iter().collect::<Vec<_>>();
    assert_eq!(
        names("logisticRegression"),
        ["alpha", "classWeight", "classWeights", "l1Ratio", "maxIterations", "penalty"]
    );
    assert_eq!(names("linearRegression"), ["alpha", "fitIntercept"]);
    assert_eq!(names("elasticNet"), ["alpha", "fitIntercept", "l1Ratio", "maxIterations"]);
    assert_eq!(names("decisionTree"), ["maxDepth", "minSamplesLeaf", "minSamplesSplit", "task"]);
    assert!(names("magic").is_empty());
    let values = |parameter| Algorithm::parameter_values("gradientBoosting", parameter);
    assert_eq!(values("earlyStopping"), ["never", "auto", "always"]);
    assert!(values("maxBins").is_empty() && values("magic").is_empty());
}

#[test]
fn the_rule_of_the_target_names_each_algorithm_that_learns_without_one() {
    let without: Vec<&str> = Algorithm::NAMES
        .iter()
        .copied()
        .filter(|name| !algorithm(json!({*name: {}})).chosen().expect("one").predicts().needs_target())
        .collect();
    assert_eq!(without, Algorithm::WITHOUT_TARGET);
    let schema = crate::pipeline_schema().to_string();
    for name in without {
        assert!(schema.contains(&format!("has(self.algorithm.{name})")), "{name}");
    }
}

#[test]
fn written_defaults_are_removed_and_other_values_stay() {
    let mut given = algorithm(json!({"logisticRegression": {"alpha": 1.0, "maxIterations": 100}}));
    given.remove_defaults();
    assert_eq!(given, algorithm(json!({"logisticRegression": {"maxIterations": 100}})));
}

#[test]
fn an_algorithm_of_both_tasks_predicts_what_its_task_says() {
    for name in ["kNeighbors", "decisionTree", "randomForest", "extraTrees", "gradientBoosting"] {
        let predicts = |parameters| algorithm(json!({name: parameters})).chosen().expect("one").predicts();
        assert_eq!(predicts(json!({})), Predicts::Classes, "{name}");
        assert_eq!(predicts(json!({"task": "regression"})), Predicts::Numbers, "{name}");
        let mut given = algorithm(json!({name: {"task": "classification"}}));
        given.remove_defaults();
        assert_eq!(given, algorithm(json!({name: {}})));
    }
}

#[test]
fn values_out_of_bounds_are_named() {
    let given = algorithm(json!({"logisticRegression": {"alpha": -1.0, "maxIterations": 0}}));
    let problems = given.chosen().expect("one").problems();
    let found: Vec<String> =
        problems.iter().map(|problem| format!("{} {}", problem.parameter, problem.problem)).collect();
    assert_eq!(found, ["alpha is -1; 0 or more is allowed", "maxIterations is 0; 1 to 100000 is allowed"]);
    let given = Algorithm {
        linear_regression: Some(LinearRegression { alpha: Some(f64::NAN), fit_intercept: None }),
        ..Algorithm::default()
    };
    assert_eq!(given.chosen().expect("one").problems()[0].problem, "is NaN; a finite number is needed");
}

#[test]
fn a_penalty_and_weights_of_classes_need_what_goes_with_them() {
    for (parameters, wrong) in [
        (json!({"penalty": "l1"}), None),
        (json!({"penalty": "elasticNet", "l1Ratio": 0.0, "classWeights": {"a": 2.5}}), None),
        (json!({"penalty": "none", "alpha": 1.0}), None),
        (json!({"penalty": "none", "alpha": 0.5}), Some("alpha")),
        (json!({"penalty": "elasticNet"}), Some("l1Ratio")),
        (json!({"penalty": "elasticNet", "l1Ratio": 1.5}), Some("l1Ratio")),
        (json!({"l1Ratio": 0.5}), Some("l1Ratio")),
        (json!({"classWeights": {"a": 0.0}}), Some("classWeights")),
        (json!({"classWeights": {"a": 1.0}, "classWeight": "balanced"}), Some("classWeights")),
    ] {
        let given = algorithm(json!({"logisticRegression": parameters}));
        let problems = given.chosen().expect("one").problems();
        assert_eq!(problems.first().map(|problem| problem.parameter), wrong, "{given:?}");
    }
}

#[test]
fn numbers_of_hundreds_of_digits_are_shown_with_an_exponent() {
    for (parameters, shown) in [
        (json!({"classWeights": {"p": 1e300}}), "has 1e300 for p; "),
        (json!({"classWeights": {"p": 1e-300}}), "has 1e-300 for p; "),
        (json!({"alpha": -1e300}), "is -1e300; 0 or more"),
        (json!({"penalty": "elasticNet", "l1Ratio": 1e300}), "is 1e300; 0 to 1 is allowed"),
    ] {
        let given = algorithm(json!({"logisticRegression": parameters}));
        let problems = given.chosen().expect("one").problems();
        let found = &problems.first().expect("a problem").problem;
        assert!(found.contains(shown), "{found}");
    }
}

#[test]
fn a_loss_of_boosting_needs_what_goes_with_it() {
    for (parameters, wrong) in [
        (json!({"task": "regression", "loss": "quantile", "quantile": 0.9}), None),
        (json!({"task": "regression", "loss": "poisson", "monotonicConstraints": {"a": "increasing"}}), None),
        (json!({"task": "regression", "loss": "quantile"}), Some("quantile")),
        (json!({"task": "regression", "loss": "quantile", "quantile": 1.0}), Some("quantile")),
        (json!({"task": "regression", "quantile": 0.5}), Some("quantile")),
        (json!({"loss": "absoluteError"}), Some("loss")),
        (
            json!({"task": "regression", "loss": "absoluteError", "monotonicConstraints": {"a": "increasing"}}),
            Some("monotonicConstraints"),
        ),
    ] {
        let given = algorithm(json!({"gradientBoosting": parameters}));
        let problems = given.chosen().expect("one").problems();
        assert_eq!(problems.first().map(|problem| problem.parameter), wrong, "{given:?}");
    }
}
