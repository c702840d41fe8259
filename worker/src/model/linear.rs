//! Prediction by weighted sums: what logistic and linear regression have in common once they are trained.

use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut1, Axis};

use super::{FeatureSchema, ModelError, Predictions, Target};

/// Weights and intercepts. A regression and a classifier of two classes have one row of weights (for two classes the sum is
/// the log-odds of the second), a classifier of more classes has one row for each.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearPredictor {
    weights: Array2<f64>,
    intercepts: Array1<f64>,
}

impl LinearPredictor {
    /// A predictor from its weights (outputs × features) and intercepts (outputs).
    #[must_use]
    pub fn new(weights: Array2<f64>, intercepts: Array1<f64>) -> Self {
        Self { weights, intercepts }
    }

    /// The weights: outputs × features.
    #[must_use]
    pub fn weights(&self) -> ArrayView2<'_, f64> {
        self.weights.view()
    }

    /// The intercepts, one for each output.
    #[must_use]
    pub fn intercepts(&self) -> &Array1<f64> {
        &self.intercepts
    }

    /// How many rows of weights a target takes.
    #[must_use]
    pub fn outputs(target: &Target) -> usize {
        match target.labels().len() {
            0..=2 => 1,
            more => more,
        }
    }

    pub(super) fn check(&self, schema: &FeatureSchema) -> Result<(), ModelError> {
        let (outputs, features) = (Self::outputs(&schema.target), schema.features.len());
        if self.weights.dim() != (outputs, features) || self.intercepts.len() != outputs {
            return Err(ModelError::Invalid(format!(
                "its weights are {} × {} with {} intercepts, and its schema needs {outputs} × {features}",
                self.weights.nrows(),
                self.weights.ncols(),
                self.intercepts.len()
            )));
        }
        if self.weights.iter().chain(&self.intercepts).all(|number| number.is_finite()) {
            Ok(())
        } else {
            Err(ModelError::Invalid("a weight is not finite".to_owned()))
        }
    }

    /// The weighted sums, rows × outputs. Each is summed up by itself and not in a matrix product, so that a row predicted
    /// alone and the same row among millions come out alike to the last bit.
    fn sums(&self, rows: ArrayView2<'_, f64>) -> Result<Array2<f64>, ModelError> {
        let mut sums = Array2::zeros((rows.nrows(), self.intercepts.len()));
        for (number, (row, mut sum)) in rows.rows().into_iter().zip(sums.rows_mut()).enumerate() {
            for ((weights, intercept), sum) in
                self.weights.rows().into_iter().zip(&self.intercepts).zip(&mut sum)
            {
                *sum = row.dot(&weights) + intercept;
            }
            if !sum.iter().all(|sum| sum.is_finite()) {
                return Err(ModelError::Overflow { row: number });
            }
        }
        Ok(sums)
    }

    /// The numbers that a regression predicts.
    ///
    /// # Errors
    /// When a row's sum is not a finite number.
    pub fn numbers(&self, rows: ArrayView2<'_, f64>) -> Result<Array1<f64>, ModelError> {
        Ok(self.sums(rows)?.index_axis_move(Axis(1), 0))
    }

    /// The classes that a classifier predicts, with their probabilities.
    ///
    /// # Errors
    /// When a row's sum is not a finite number.
    pub fn classes(&self, rows: ArrayView2<'_, f64>) -> Result<Predictions, ModelError> {
        self.probabilities(rows).map(Predictions::from_probabilities)
    }

    /// The probabilities that a classifier gives, rows × classes.
    fn probabilities(&self, rows: ArrayView2<'_, f64>) -> Result<Array2<f64>, ModelError> {
        let mut sums = self.sums(rows)?;
        if sums.ncols() > 1 {
            sums.rows_mut().into_iter().for_each(softmax);
            return Ok(sums);
        }
        let mut both = Array2::zeros((sums.nrows(), 2));
        for (pair, sum) in both.rows_mut().into_iter().zip(&sums) {
            pair.into_iter().zip([-sum, *sum]).for_each(|(probability, odds)| *probability = sigmoid(odds));
        }
        Ok(both)
    }
}

/// 1 / (1 + exp(-x)), without overflow.
fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

/// Turns finite scores into probabilities: exp(score) over the sum of them, with the row's own maximum taken off first so
/// that nothing overflows.
fn softmax(mut row: ArrayViewMut1<'_, f64>) {
    let max = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    row.mapv_inplace(|score| (score - max).exp());
    let sum = row.sum();
    row.mapv_inplace(|value| value / sum);
}
