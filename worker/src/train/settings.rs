//! What a train step asks for, checked as a whole before any row is read.

use mlpipeline_crds::{
    ChosenAlgorithm, CrossValidation, Gate, Metric, Predicts, Scale, Shown, Split, SplitBy, TrainStep,
};

use super::error::TrainError;
use super::learner::Learner;

/// The most folds.
const MAX_FOLDS: i32 = 100;

/// The checked parts of a step.
pub(super) struct Settings {
    pub(super) learner: Learner,
    pub(super) algorithm: &'static str,
    pub(super) split: Option<TestSplit>,
    pub(super) folds: Option<Folds>,
    /// The column whose equal values stay together.
    pub(super) group_by: Option<String>,
}

/// Rows to keep back.
#[derive(Clone, Debug)]
pub(super) struct TestSplit {
    pub(super) share: f64,
    pub(super) by: SplitBy,
    /// The column that is hashed, or that says when rows are from.
    pub(super) column: Option<String>,
    pub(super) stratify: bool,
    pub(super) seed: i64,
}

/// Folds to cross-validate with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Folds {
    pub(super) count: usize,
    pub(super) seed: i64,
}

impl Settings {
    /// Checks a step.
    pub(super) fn new(step: &TrainStep) -> Result<Self, TrainError> {
        let (learner, algorithm) = learner(step)?;
        let predicts = step.algorithm.chosen().map(ChosenAlgorithm::predicts);
        check_target(step, &learner, algorithm)?;
        if let (Some(gate), Some(predicts)) = (&step.gate, predicts) {
            check_gate(gate, predicts, algorithm)?;
            let quantile = step.algorithm.chosen().and_then(ChosenAlgorithm::quantile);
            if gate.metric == Metric::Pinball && quantile.is_none() {
                let message = "gate.metric is pinball, which measures models of a quantile: set loss: quantile of gradientBoosting, or \
                               take another metric";
                return Err(TrainError::Spec(message.to_owned()));
            }
        }
        if step.tune.is_some() && step.gate.is_some() && step.split.is_none() {
            let message = "a gate beside tune needs split: over folds, or the rows learnt from, the search has chosen what measures best";
            return Err(TrainError::Spec(message.to_owned()));
        }
        if step.learning_curve == Some(true) && (step.split.is_none() || step.target.is_none()) {
            let message = "learningCurve needs target and split: what is learnt from parts of the rows is measured on the rows that \
                           split keeps back";
            return Err(TrainError::Spec(message.to_owned()));
        }
        check_forecast(step)?;
        let group_by = step.group_by.clone();
        if group_by.is_some() && group_by == step.target {
            let message =
                "groupBy is the target: rows of one class would all be on one side; name another column";
            return Err(TrainError::Spec(message.to_owned()));
        }
        let split = step.split.as_ref().map(|split| test_split(split, step, predicts)).transpose()?;
        let folds = step.cross_validation.as_ref().map(folds).transpose()?;
        Ok(Self { learner, algorithm, split, folds, group_by })
    }
}

/// What learns. Where parameters are searched for, those that the algorithm lacks come from there.
fn learner(step: &TrainStep) -> Result<(Learner, &'static str), TrainError> {
    let made = Learner::new(&step.algorithm);
    let Some(tune) = step.tune.as_ref().filter(|_| made.is_err()) else { return made };
    tune.first_of_each(&step.algorithm).map_or(made, |algorithm| Learner::new(&algorithm))
}

/// A target is needed by each algorithm that predicts a column, and by no other.
fn check_target(step: &TrainStep, learner: &Learner, algorithm: &str) -> Result<(), TrainError> {
    match (learner, step.target.as_deref()) {
        (Learner::Classifier(_) | Learner::Regressor(_), None | Some("")) => {
            Err(TrainError::missing_target())
        }
        (Learner::Classifier(_) | Learner::Regressor(_), Some(_)) | (Learner::Finder(_), None) => Ok(()),
        (Learner::Finder(_), Some(target)) => Err(TrainError::Spec(format!(
            "target is given (\"{target}\"), and {algorithm} learns without one: leave it out, and the column is a feature like the others"
        ))),
    }
}

/// A forecast is measured on rows that are newer than those it learns from, which folds of its own make.
fn check_forecast(step: &TrainStep) -> Result<(), TrainError> {
    let Some(ChosenAlgorithm::SeasonalNaive(_)) = step.algorithm.chosen() else {
        let is_of_forecasts = step.gate.as_ref().is_some_and(|gate| gate.metric == Metric::Mase);
        return match is_of_forecasts {
            true => Err(TrainError::Spec(
                "gate.metric is mase, which measures forecasts by seasonalNaive; take another metric"
                    .to_owned(),
            )),
            false => Ok(()),
        };
    };
    let given = [
        ("split", step.split.is_some()),
        ("tune", step.tune.is_some()),
        ("groupBy", step.group_by.is_some()),
        ("interactions", !step.interactions.is_empty()),
    ];
    if let Some((field, _)) = given.iter().find(|(_, is_given)| *is_given) {
        return Err(TrainError::Spec(format!(
            "{field} does not go with seasonalNaive, which is measured by the folds of crossValidation alone; leave it out"
        )));
    }
    let scales = step.columns.iter().map(|column| column.scale).chain([step.scale]);
    if scales.flatten().any(|scale| scale != Scale::None) {
        let message = "scale does not go with seasonalNaive, which takes times as they are; leave it out, of columns too";
        return Err(TrainError::Spec(message.to_owned()));
    }
    if step.cross_validation.is_none() {
        let message = "seasonalNaive needs crossValidation: each of its folds is a point in time from which is forecast what came then";
        return Err(TrainError::Spec(message.to_owned()));
    }
    Ok(())
}

fn check_gate(gate: &Gate, predicts: Predicts, algorithm: &str) -> Result<(), TrainError> {
    let not_finite = |bound: &(_, Option<f64>)| bound.1.is_some_and(|bound| !bound.is_finite());
    if let Some((field, Some(bound))) = gate.bounds().into_iter().find(not_finite) {
        return Err(TrainError::Spec(format!("gate.{field} is {bound}, and must be a finite number")));
    }
    if gate.metric.measures() == predicts {
        return Ok(());
    }
    Err(TrainError::Spec(format!(
        "gate.metric is {}, which {algorithm} is not measured by; its metrics are {}",
        gate.metric.name(),
        Metric::names(Some(predicts))
    )))
}

fn test_split(split: &Split, step: &TrainStep, predicts: Option<Predicts>) -> Result<TestSplit, TrainError> {
    let by = split.by.unwrap_or_default();
    let stratify = split.stratify.unwrap_or(Split::DEFAULT_STRATIFY);
    if !(split.test > 0.0 && split.test < 1.0) {
        return Err(TrainError::Spec(format!(
            "split.test is {}, and is a share of the rows: more than 0 and less than 1",
            Shown(split.test)
        )));
    }
    if stratify && predicts != Some(Predicts::Classes) {
        let without = match predicts {
            Some(Predicts::Clusters | Predicts::Outliers | Predicts::Components) => {
                "there are none without a target"
            }
            Some(Predicts::Classes | Predicts::Numbers) | None => "a regression has no classes",
        };
        let message = format!("split.stratify keeps each class's share, and {without}; leave it out");
        return Err(TrainError::Spec(message));
    }
    let groups = step.group_by.is_some();
    let problem = match (by, &split.column) {
        _ if stratify && (by != SplitBy::Shuffle || groups) => {
            "split.stratify is for a shuffled split without groupBy: what decides there is each row's value; leave it out"
        }
        (SplitBy::Shuffle, Some(_)) => {
            "split.column goes with by: hash and by: time; set by, or leave it out"
        }
        (SplitBy::Time, None) => {
            "split.by is time, which needs split.column: the column that says when each row is from"
        }
        (SplitBy::Hash, Some(_)) | (SplitBy::Time, _) if groups => {
            "split.by cannot keep the rows of a group together: with groupBy, use shuffle, or hash without column"
        }
        (_, Some(column)) if Some(column) == step.target.as_ref() => {
            "split.column is the target: which rows are kept back must not depend on it; name another column"
        }
        _ => "",
    };
    if !problem.is_empty() {
        return Err(TrainError::Spec(problem.to_owned()));
    }
    let (column, seed) = (split.column.clone(), split.seed.unwrap_or(Split::DEFAULT_SEED));
    Ok(TestSplit { share: split.test, by, column, stratify, seed })
}

fn folds(asked: &CrossValidation) -> Result<Folds, TrainError> {
    if !(2..=MAX_FOLDS).contains(&asked.folds) {
        return Err(TrainError::Spec(format!(
            "crossValidation.folds is {}, and must be from 2 to {MAX_FOLDS}",
            asked.folds
        )));
    }
    Ok(Folds {
        count: asked.folds.unsigned_abs() as usize,
        seed: asked.seed.unwrap_or(CrossValidation::DEFAULT_SEED),
    })
}
