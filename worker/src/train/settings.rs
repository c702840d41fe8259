//! What a train step asks for, checked as a whole before any row is read.

use mlpipeline_crds::{CrossValidation, Gate, Split, TrainStep};

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
}

/// Rows to keep back.
#[derive(Clone, Copy, Debug)]
pub(super) struct TestSplit {
    pub(super) share: f64,
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
        let (learner, algorithm) = Learner::new(&step.algorithm)?;
        let classification = matches!(learner, Learner::Classifier(_));
        if step.target.is_empty() {
            return Err(TrainError::Spec("target: name the column to predict".to_owned()));
        }
        if let Some(gate) = &step.gate {
            check_gate(gate, classification, algorithm)?;
        }
        let split = step.split.as_ref().map(|split| test_split(split, classification)).transpose()?;
        let folds = step.cross_validation.as_ref().map(folds).transpose()?;
        Ok(Self { learner, algorithm, split, folds })
    }
}

fn check_gate(gate: &Gate, classification: bool, algorithm: &str) -> Result<(), TrainError> {
    if gate.metric.is_classification() == classification {
        return Ok(());
    }
    let fitting = mlpipeline_crds::Metric::ALL
        .into_iter()
        .filter(|metric| metric.is_classification() == classification);
    let names: Vec<&str> = fitting.map(mlpipeline_crds::Metric::name).collect();
    Err(TrainError::Spec(format!(
        "gate.metric is {}, which {algorithm} is not measured by; its metrics are {}",
        gate.metric.name(),
        names.join(", ")
    )))
}

fn test_split(split: &Split, classification: bool) -> Result<TestSplit, TrainError> {
    let stratify = split.stratify.unwrap_or(Split::DEFAULT_STRATIFY);
    if !(split.test > 0.0 && split.test < 1.0) {
        return Err(TrainError::Spec(format!(
            "split.test is {}, and is a share of the rows: more than 0 and less than 1",
            split.test
        )));
    }
    if stratify && !classification {
        let message =
            "split.stratify keeps each class's share, and a regression has no classes; leave it out";
        return Err(TrainError::Spec(message.to_owned()));
    }
    Ok(TestSplit { share: split.test, stratify, seed: split.seed.unwrap_or(Split::DEFAULT_SEED) })
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
