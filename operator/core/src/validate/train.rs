//! What a train step needs: a target, one algorithm, ways to measure that fit it, and a gate that could open.

use std::collections::BTreeSet;

use mlpipeline_crds::{Algorithm, ColumnRole, Gate, Metric, ParameterProblem, Predicts, Train};

use super::data;
use super::errors::Errors;
use crate::quoted::quoted;

pub(super) fn check(train: &Train, path: &str, errors: &mut Errors) {
    data::check(&train.data, &format!("{path}.data"), errors);
    errors.require(
        !train.target.is_empty(),
        format!("{path}.target"),
        "is empty: name the column to predict",
    );
    let mut features = BTreeSet::new();
    for (index, feature) in train.features.iter().enumerate() {
        let path = format!("{path}.features[{index}]");
        errors.require(
            *feature != train.target,
            &path,
            format!("{} is the target: a model cannot predict from it", quoted(feature)),
        );
        errors.require(
            features.insert(feature),
            &path,
            format!("{} is the name of an earlier feature too", quoted(feature)),
        );
    }
    check_columns(train, path, errors);
    let classifies = check_algorithm(&train.algorithm, &format!("{path}.algorithm"), errors);
    if let Some(split) = &train.split {
        errors.require(
            split.test > 0.0 && split.test < 1.0,
            format!("{path}.split.test"),
            format!("is {}; more than 0 and less than 1 is allowed", split.test),
        );
        errors.require(
            !split.stratify.unwrap_or_default() || classifies != Some(false),
            format!("{path}.split.stratify"),
            "is for classification: a regression has no classes whose shares it could keep",
        );
        errors.require_not_negative(split.seed, format!("{path}.split.seed"));
    }
    if let Some(folds) = &train.cross_validation {
        errors.require_between(Some(folds.folds), (2, 100), format!("{path}.crossValidation.folds"));
        errors.require_not_negative(folds.seed, format!("{path}.crossValidation.seed"));
    }
    if let Some(gate) = &train.gate {
        check_gate(gate, classifies, &format!("{path}.gate"), errors);
    }
}

fn check_columns(train: &Train, path: &str, errors: &mut Errors) {
    let mut names = BTreeSet::new();
    for (index, column) in train.columns.iter().enumerate() {
        let path = format!("{path}.columns[{index}]");
        let name = quoted(&column.name);
        errors.require(
            column.name != train.target,
            format!("{path}.name"),
            format!("{name} is the target: it is taken as its algorithm needs it"),
        );
        errors.require(
            names.insert(&column.name),
            format!("{path}.name"),
            format!("{name} is the name of an earlier column too"),
        );
        errors.require_between(column.max_categories, (1, 1000), format!("{path}.maxCategories"));
        errors.require(
            column.max_categories.is_none() || matches!(column.taken_as, None | Some(ColumnRole::Category)),
            format!("{path}.maxCategories"),
            "is for categories: leave it out, or set as to category",
        );
    }
}

/// Checks the algorithm; says whether it classifies, where that is known.
fn check_algorithm(algorithm: &Algorithm, path: &str, errors: &mut Errors) -> Option<bool> {
    let Some(chosen) = algorithm.chosen() else {
        errors.add(path, format!("needs exactly one of {}", Algorithm::NAMES.join(", ")));
        return None;
    };
    for ParameterProblem { parameter, problem } in chosen.problems() {
        errors.add(format!("{path}.{}.{parameter}", chosen.name()), problem);
    }
    Some(chosen.predicts() == Predicts::Classes)
}

fn check_gate(gate: &Gate, classifies: Option<bool>, path: &str, errors: &mut Errors) {
    errors.require(
        gate.min.is_some() || gate.max.is_some() || gate.max_regression.is_some(),
        path,
        "needs at least one of min, max and maxRegression",
    );
    let fits = classifies.is_none_or(|classifies| classifies == gate.metric.is_classification());
    if !fits {
        let known: Vec<&str> = Metric::ALL
            .into_iter()
            .filter(|metric| Some(metric.is_classification()) == classifies)
            .map(Metric::name)
            .collect();
        errors.add(
            format!("{path}.metric"),
            format!(
                "\"{}\" is not measured for this algorithm; there are {}",
                gate.metric.name(),
                known.join(", ")
            ),
        );
    }
    let numbers = [("min", gate.min), ("max", gate.max), ("maxRegression", gate.max_regression)];
    for (field, number) in numbers {
        errors.require_finite(number, format!("{path}.{field}"));
    }
    if let (Some(min), Some(max)) = (gate.min, gate.max) {
        let is_possible = min <= max || min.is_nan() || max.is_nan();
        errors.require(is_possible, path, format!("min {min} is more than max {max}: no model could pass"));
    }
    let finite = gate.max_regression.filter(|allowed| allowed.is_finite());
    errors.require_not_negative(finite, format!("{path}.maxRegression"));
}
