//! What a model can be once it is trained: one variant for each way to predict.
//!
//! Owns the list and the questions that every way answers. Each way is in a file of its own, with its form in `model.json`.
//! Must not know what a model's input columns are: a predictor sees the model's columns, numbers all.

use mlpipeline_crds::Digest;
use ndarray::{Array1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::{GaussianPredictor, LinearPredictor, ModelError, Predictions, TREES_FILE, Target, TreePredictor};

/// Reads another file of the same model, by its name.
pub(super) type ReadFile<'a> = &'a dyn Fn(&str) -> Result<Vec<u8>, ModelError>;

/// What predicts.
#[derive(Clone, Debug, PartialEq)]
pub enum Predictor {
    /// Weighted sums.
    Linear(LinearPredictor),
    /// Decision trees.
    Trees(TreePredictor),
    /// Normal distributions.
    Gaussian(GaussianPredictor),
}

/// What predicts, by its name in `model.json`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum StoredPredictor {
    Linear(LinearPredictor),
    Trees(StoredTrees),
    Gaussian(GaussianPredictor),
}

/// Trees have a file of their own; the model's names it by what it must hold.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct StoredTrees {
    sha256: Digest,
    /// For people who read the file.
    trees: usize,
    leaves: usize,
}

impl From<&Predictor> for StoredPredictor {
    fn from(predictor: &Predictor) -> Self {
        match predictor {
            Predictor::Linear(linear) => Self::Linear(linear.clone()),
            Predictor::Gaussian(gaussian) => Self::Gaussian(gaussian.clone()),
            Predictor::Trees(trees) => Self::Trees(StoredTrees {
                sha256: Digest::of(&trees.to_bytes()),
                trees: trees.trees().len(),
                leaves: trees.leaves(),
            }),
        }
    }
}

impl StoredPredictor {
    /// The predictor, with what its other file has.
    pub(super) fn open(self, other: ReadFile<'_>) -> Result<Predictor, ModelError> {
        let stored = match self {
            Self::Linear(linear) => return Ok(linear.into()),
            Self::Gaussian(gaussian) => return Ok(gaussian.into()),
            Self::Trees(stored) => stored,
        };
        let bytes = other(TREES_FILE)?;
        if Digest::of(&bytes) != stored.sha256 {
            return Err(ModelError::Invalid(format!("{TREES_FILE} is not the one that belongs to it")));
        }
        Ok(TreePredictor::from_bytes(&bytes)?.into())
    }
}

impl From<GaussianPredictor> for Predictor {
    fn from(predictor: GaussianPredictor) -> Self {
        Self::Gaussian(predictor)
    }
}

impl From<TreePredictor> for Predictor {
    fn from(predictor: TreePredictor) -> Self {
        Self::Trees(predictor)
    }
}

impl From<LinearPredictor> for Predictor {
    fn from(predictor: LinearPredictor) -> Self {
        Self::Linear(predictor)
    }
}

impl Predictor {
    /// Checks that it fits so many columns and the target, and that all of its numbers are finite.
    pub(super) fn check(&self, columns: usize, target: &Target) -> Result<(), ModelError> {
        match self {
            Self::Linear(linear) => linear.check(columns, target),
            Self::Trees(trees) => trees.check(columns, target),
            Self::Gaussian(gaussian) => gaussian.check(columns, target),
        }
    }

    /// The numbers that a regression predicts. A row's answer does not depend on the rows beside it, to the last bit.
    ///
    /// # Errors
    /// When a row has no finite answer.
    pub fn numbers(&self, rows: ArrayView2<'_, f64>) -> Result<Array1<f64>, ModelError> {
        match self {
            Self::Linear(linear) => linear.numbers(rows),
            Self::Trees(trees) => trees.numbers(rows),
            Self::Gaussian(_) => {
                Err(ModelError::Invalid("it predicts classes, and its target is numbers".to_owned()))
            }
        }
    }

    /// The classes that a classifier predicts, with their probabilities. A row's answer does not depend on the rows beside it,
    /// to the last bit.
    ///
    /// # Errors
    /// When a row has no finite answer.
    pub fn classes(&self, rows: ArrayView2<'_, f64>) -> Result<Predictions, ModelError> {
        match self {
            Self::Linear(linear) => linear.classes(rows),
            Self::Trees(trees) => trees.classes(rows),
            Self::Gaussian(gaussian) => gaussian.classes(rows),
        }
    }

    /// The largest absolute value of its columns, a power of ten, up to which every row has an answer.
    #[must_use]
    pub fn largest_value(&self) -> f64 {
        match self {
            Self::Linear(linear) => linear.largest_value(),
            // Values are only compared.
            Self::Trees(_) => f64::MAX,
            Self::Gaussian(gaussian) => gaussian.largest_value(),
        }
    }

    /// The weights, where it has some.
    #[must_use]
    pub fn linear(&self) -> Option<&LinearPredictor> {
        match self {
            Self::Linear(linear) => Some(linear),
            Self::Trees(_) | Self::Gaussian(_) => None,
        }
    }

    /// The trees, where it has some.
    #[must_use]
    pub fn trees(&self) -> Option<&TreePredictor> {
        match self {
            Self::Trees(trees) => Some(trees),
            Self::Linear(_) | Self::Gaussian(_) => None,
        }
    }
}
