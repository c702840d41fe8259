//! What a model answers for rows.

use ndarray::{Array1, Array2, Axis};

use super::ModelError;

/// Predictions, one for each row and in the rows' order.
#[derive(Clone, Debug, PartialEq)]
pub enum Predictions {
    /// Of a classifier.
    Classes {
        /// The likeliest class of each row, as an index into the target's labels; the first of equals.
        index: Vec<usize>,
        /// The probability of each class: one row each, one column for each label; a row's sum is 1.
        probabilities: Array2<f64>,
    },
    /// Of a regression: the predicted numbers, in the target's unit.
    Numbers(Array1<f64>),
    /// Of a model without a target.
    Findings {
        /// The answer of each row, as an index into [`super::Finding::answers`]; empty where there are only numbers.
        index: Vec<usize>,
        /// One row each, one column for each of [`super::Finding::numbers`].
        numbers: Array2<f64>,
    },
}

impl Predictions {
    pub(super) fn from_probabilities(probabilities: Array2<f64>) -> Self {
        let likeliest = |row: ndarray::ArrayView1<'_, f64>| {
            let mut best = (0, f64::NEG_INFINITY);
            for (index, probability) in row.iter().enumerate() {
                if *probability > best.1 {
                    best = (index, *probability);
                }
            }
            best.0
        };
        let index = probabilities.rows().into_iter().map(likeliest).collect();
        Self::Classes { index, probabilities }
    }

    /// How many rows were predicted for.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Classes { index, .. } => index.len(),
            Self::Numbers(numbers) => numbers.len(),
            Self::Findings { numbers, .. } => numbers.nrows(),
        }
    }

    /// Adds the predictions for the rows that follow.
    ///
    /// # Errors
    /// When they are of another kind or number of columns, which those of one model never are.
    pub(super) fn append(&mut self, more: Self) -> Result<(), ModelError> {
        let widths = match (&mut *self, &more) {
            (
                Self::Classes { index, probabilities: numbers },
                Self::Classes { index: more, probabilities: others },
            )
            | (Self::Findings { index, numbers }, Self::Findings { index: more, numbers: others }) => {
                index.extend(more);
                numbers.append(Axis(0), others.view())
            }
            (Self::Numbers(numbers), Self::Numbers(others)) => numbers.append(Axis(0), others.view()),
            _ => return Err(ModelError::Batch("answers of two kinds".to_owned())),
        };
        widths.map_err(|error| ModelError::Batch(error.to_string()))
    }

    /// Whether there were no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
