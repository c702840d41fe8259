//! What a model can be once it is trained: one variant for each way to predict.
//!
//! Owns the list and the questions that every way answers. Each way is in a file of its own, with its form in `model.json`.
//! Must not know what a model's input columns are: a predictor sees the model's columns, numbers all.

use ndarray::{Array1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::{LinearPredictor, ModelError, Predictions, Target};

/// What predicts, by its name in `model.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Predictor {
    /// Weighted sums.
    Linear(LinearPredictor),
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
        }
    }

    /// The numbers that a regression predicts. A row's answer does not depend on the rows beside it, to the last bit.
    ///
    /// # Errors
    /// When a row has no finite answer.
    pub fn numbers(&self, rows: ArrayView2<'_, f64>) -> Result<Array1<f64>, ModelError> {
        match self {
            Self::Linear(linear) => linear.numbers(rows),
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
        }
    }

    /// The largest absolute value of its columns, a power of ten, up to which every row has an answer.
    #[must_use]
    pub fn largest_value(&self) -> f64 {
        match self {
            Self::Linear(linear) => linear.largest_value(),
        }
    }

    /// The weights, where it has some.
    #[must_use]
    pub fn linear(&self) -> Option<&LinearPredictor> {
        match self {
            Self::Linear(linear) => Some(linear),
        }
    }
}
