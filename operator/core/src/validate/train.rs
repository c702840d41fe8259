//! What a train step needs: a target, one algorithm, ways to measure that fit it, and a gate that could open.

use mlpipeline_crds::{
    Algorithm, ChosenAlgorithm, Metric, ParameterProblem, PodSettings, Predicts, Scale, Shown, Split,
    SplitBy, Train, TuneProblem,
};

use super::actions::Checked;
use super::errors::Errors;
use super::{data, features, gate, train_columns};

impl Checked for Train {
    fn check(&self, _: &PodSettings, path: &str, errors: &mut Errors) {
        data::check(&self.data, &format!("{path}.data"), errors);
        check_target(self, path, errors);
        features::check(&self.features, self.target.as_deref(), &format!("{path}.features"), errors);
        train_columns::check(self, path, errors);
        check_forecast(self, path, errors);
        let predicts = check_algorithm(self, &format!("{path}.algorithm"), errors);
        if let Some(tune) = &self.tune {
            for TuneProblem { path: below, problem } in tune.problems(&self.algorithm) {
                errors.add(format!("{path}.tune.{below}"), problem);
            }
        }
        if let Some(split) = &self.split {
            check_split(split, self, predicts, &format!("{path}.split"), errors);
        }
        errors.require(
            self.group_by.is_none() || self.group_by != self.target,
            format!("{path}.groupBy"),
            "is the target: rows of one class would all be on one side",
        );
        if let Some(folds) = &self.cross_validation {
            errors.require_between(Some(folds.folds), (2, 100), format!("{path}.crossValidation.folds"));
            errors.require_not_negative(folds.seed, format!("{path}.crossValidation.seed"));
        }
        let has_curve = self.learning_curve == Some(true);
        errors.require(
            !has_curve || self.split.is_some(),
            format!("{path}.learningCurve"),
            "needs split: what is learnt from parts of the rows is measured on the rows that it keeps back",
        );
        errors.require(
            !has_curve || self.target.is_some(),
            format!("{path}.learningCurve"),
            "needs target: nothing says how good an algorithm without one is on other rows",
        );
        if let Some(gate) = &self.gate {
            gate::check(gate, self.algorithm.chosen(), predicts, &format!("{path}.gate"), errors);
            errors.require(
                self.tune.is_none() || self.split.is_some(),
                format!("{path}.gate"),
                "needs split beside tune: over folds, or the rows learnt from, the search has chosen what measures best",
            );
            let quantile = self.algorithm.chosen().and_then(ChosenAlgorithm::quantile);
            errors.require(
                gate.metric != Metric::Pinball || predicts != Some(Predicts::Numbers) || quantile.is_some(),
                format!("{path}.gate.metric"),
                "is pinball, which measures models of a quantile: set loss: quantile of gradientBoosting, or take another metric",
            );
        }
    }
}

fn check_split(split: &Split, train: &Train, predicts: Option<Predicts>, path: &str, errors: &mut Errors) {
    let by = split.by.unwrap_or_default();
    let stratify = split.stratify.unwrap_or_default();
    errors.require(
        split.test > 0.0 && split.test < 1.0,
        format!("{path}.test"),
        format!("is {}; more than 0 and less than 1 is allowed", Shown(split.test)),
    );
    errors.require(
        !stratify || predicts.is_none_or(|predicts| predicts == Predicts::Classes),
        format!("{path}.stratify"),
        match predicts {
            Some(Predicts::Clusters | Predicts::Outliers | Predicts::Components) => {
                "is for classification: without a target there are no classes whose shares it could keep"
            }
            Some(Predicts::Classes | Predicts::Numbers) | None => {
                "is for classification: a regression has no classes whose shares it could keep"
            }
        },
    );
    errors.require(
        !stratify || (by == SplitBy::Shuffle && train.group_by.is_none()),
        format!("{path}.stratify"),
        "is for a shuffled split without groupBy: what decides there is each row's value; leave it out",
    );
    errors.require(
        split.column.is_none() || by != SplitBy::Shuffle,
        format!("{path}.column"),
        "goes with by: hash and by: time; set by, or leave it out",
    );
    errors.require(
        split.column.is_some() || by != SplitBy::Time,
        format!("{path}.column"),
        "is missing: by: time needs the column that says when each row is from",
    );
    errors.require(
        split.column.is_none() || split.column != train.target,
        format!("{path}.column"),
        "is the target: which rows are kept back must not depend on it",
    );
    errors.require(
        train.group_by.is_none() || by == SplitBy::Shuffle || (by == SplitBy::Hash && split.column.is_none()),
        format!("{path}.by"),
        "cannot keep the rows of a group together: with groupBy, use shuffle, or hash without column",
    );
    errors.require_not_negative(split.seed, format!("{path}.seed"));
}

/// A forecast is measured on rows that are newer than those it learns from, which folds of its own make.
fn check_forecast(train: &Train, path: &str, errors: &mut Errors) {
    let is_forecast = matches!(train.algorithm.chosen(), Some(ChosenAlgorithm::SeasonalNaive(_)));
    if !is_forecast {
        let gates = train.gate.as_ref().is_some_and(|gate| gate.metric == Metric::Mase);
        errors.require(
            !gates,
            format!("{path}.gate.metric"),
            "is mase, which measures forecasts by seasonalNaive: take another metric",
        );
        return;
    }
    for (field, is_given) in [
        ("split", train.split.is_some()),
        ("tune", train.tune.is_some()),
        ("groupBy", train.group_by.is_some()),
        ("interactions", !train.interactions.is_empty()),
    ] {
        errors.require(
            !is_given,
            format!("{path}.{field}"),
            "does not go with seasonalNaive, which is measured by the folds of crossValidation alone: leave it out",
        );
    }
    let scales = train.columns.iter().map(|column| column.scale).chain([train.scale]);
    errors.require(
        scales.flatten().all(|scale| scale == Scale::None),
        format!("{path}.scale"),
        "does not go with seasonalNaive, which takes times as they are: leave it out, of columns too",
    );
    errors.require(
        train.cross_validation.is_some(),
        format!("{path}.crossValidation"),
        "is missing: each fold of seasonalNaive is a point in time from which is forecast what came then",
    );
}

/// A target is needed by each algorithm that predicts a column, and by no other.
fn check_target(train: &Train, path: &str, errors: &mut Errors) {
    let path = format!("{path}.target");
    let chosen = train.algorithm.chosen();
    match (&train.target, chosen) {
        (Some(_), Some(chosen)) if !chosen.predicts().needs_target() => {
            let name = chosen.name();
            errors.add(path, format!("is given, and {name} learns without one: leave it out, and the column is a feature like the others"));
        }
        (Some(target), _) => errors.require(!target.is_empty(), path, "is empty: name the column to predict"),
        (None, Some(chosen)) if !chosen.predicts().needs_target() => {}
        (None, Some(_)) => errors.add(path, "is missing: name the column to predict"),
        // What is wrong with the algorithm is said already.
        (None, None) => {}
    }
}

/// Checks the algorithm; says what it predicts, where that is known.
fn check_algorithm(train: &Train, path: &str, errors: &mut Errors) -> Option<Predicts> {
    let Some(chosen) = train.algorithm.chosen() else {
        let given: Vec<&str> = train.algorithm.given().iter().map(|given| given.name()).collect();
        let found = if given.is_empty() { "none of them".to_owned() } else { given.join(" and ") };
        errors.add(path, format!("needs exactly one of {}; this has {found}", Algorithm::NAMES.join(", ")));
        return None;
    };
    // What is searched for has its values from there.
    let searched = |name: &str| train.tune.as_ref().is_some_and(|tune| tune.parameters.contains_key(name));
    let problems = chosen.problems().into_iter().filter(|problem| !searched(problem.parameter));
    for ParameterProblem { parameter, problem } in problems {
        errors.add(format!("{path}.{}.{parameter}", chosen.name()), problem);
    }
    Some(chosen.predicts())
}
