//! Prediction by weighted sums: what logistic and linear regression have in common once they are trained.

use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut1, Axis};

use serde::{Deserialize, Serialize};

use super::{ModelError, Predictions, Target};
use crate::exact::{Exact, Row};

/// Weights and intercepts. A regression and a classifier of two classes have one row of weights (for two classes the sum is
/// the log-odds of the second), a classifier of more classes has one row for each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "Document", try_from = "Document")]
pub struct LinearPredictor {
    weights: Array2<f64>,
    intercepts: Array1<f64>,
    link: Link,
    /// A feature stands for 1 where its value is above this, and for 0 elsewhere; for its value when absent.
    binarize: Option<f64>,
}

/// What a weighted sum is of the number that a regression predicts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Link {
    /// The number itself.
    #[default]
    Identity,
    /// Its logarithm.
    Log,
}

impl Link {
    fn is_identity(&self) -> bool {
        *self == Self::Identity
    }
}

/// Its form in `model.json`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    /// One row for each output.
    weights: Vec<Row>,
    intercepts: Row,
    /// Left out where it is the identity, as it was in files of earlier releases.
    #[serde(default, skip_serializing_if = "Link::is_identity")]
    link: Link,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    binarize: Option<Exact>,
}

impl From<LinearPredictor> for Document {
    fn from(predictor: LinearPredictor) -> Self {
        Self {
            weights: predictor.weights.rows().into_iter().map(|row| Row(row.to_vec())).collect(),
            intercepts: Row(predictor.intercepts.to_vec()),
            link: predictor.link,
            binarize: predictor.binarize.map(Exact),
        }
    }
}

impl TryFrom<Document> for LinearPredictor {
    type Error = String;

    fn try_from(document: Document) -> Result<Self, String> {
        let predictor = Self::from_rows(document.weights, document.intercepts)?;
        let binarize = document.binarize.map(|above| above.0);
        Ok(Self { link: document.link, binarize, ..predictor })
    }
}

impl LinearPredictor {
    /// A predictor from its weights (outputs × features) and intercepts (outputs).
    #[must_use]
    pub fn new(weights: Array2<f64>, intercepts: Array1<f64>) -> Self {
        Self { weights, intercepts, link: Link::Identity, binarize: None }
    }

    /// The same sums as logarithms of the predicted numbers.
    #[must_use]
    pub fn with_log_link(self) -> Self {
        Self { link: Link::Log, ..self }
    }

    /// The same weights for whether features are above a value.
    #[must_use]
    pub fn with_binarized_features(self, above: f64) -> Self {
        Self { binarize: Some(above), ..self }
    }

    /// A predictor from rows of weights, one for each output.
    pub(super) fn from_rows(rows: Vec<Row>, intercepts: Row) -> Result<Self, String> {
        let (outputs, features) = (rows.len(), rows.first().map_or(0, |row| row.0.len()));
        if rows.iter().any(|row| row.0.len() != features) {
            return Err("its rows of weights are of different lengths".to_owned());
        }
        let flat = rows.into_iter().flat_map(|row| row.0).collect();
        let weights = Array2::from_shape_vec((outputs, features), flat).map_err(|error| error.to_string())?;
        Ok(Self::new(weights, Array1::from_vec(intercepts.0)))
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

    /// Whether the sums are logarithms of the predicted numbers.
    #[must_use]
    pub fn is_log(&self) -> bool {
        self.link == Link::Log
    }

    /// The value above which a feature stands for 1, and for 0 elsewhere; none where it stands for itself.
    #[must_use]
    pub fn binarized_above(&self) -> Option<f64> {
        self.binarize
    }

    /// How many rows of weights a target takes.
    #[must_use]
    pub fn outputs(target: &Target) -> usize {
        match target.labels().len() {
            0..=2 => 1,
            more => more,
        }
    }

    /// With larger values than this, a weighted sum could be beyond what a 64-bit float holds.
    pub(super) fn largest_value(&self) -> f64 {
        let sums = self.weights.rows().into_iter().zip(&self.intercepts).map(|(weights, intercept)| {
            weights.iter().map(|weight| weight.abs()).sum::<f64>() + intercept.abs()
        });
        let largest_sum = sums.fold(1.0, f64::max);
        // An eighth leaves room for rounding and for the difference of two sums.
        let exponent = (f64::MAX / 8.0 / largest_sum).log10().floor();
        format!("1e{exponent}").parse().unwrap_or(f64::MAX)
    }

    pub(super) fn check(&self, columns: usize, target: &Target) -> Result<(), ModelError> {
        let outputs = Self::outputs(target);
        if self.weights.dim() != (outputs, columns) || self.intercepts.len() != outputs {
            return Err(ModelError::Invalid(format!(
                "its weights are {} × {} with {} intercepts, and its schema needs {outputs} × {columns}",
                self.weights.nrows(),
                self.weights.ncols(),
                self.intercepts.len()
            )));
        }
        if self.link == Link::Log && !target.labels().is_empty() {
            return Err(ModelError::Invalid("its sums are logarithms, and its target is classes".to_owned()));
        }
        if self.weights.iter().chain(&self.intercepts).chain(&self.binarize).all(|number| number.is_finite())
        {
            Ok(())
        } else {
            Err(ModelError::Invalid("a weight is not finite".to_owned()))
        }
    }

    /// The weighted sums, rows × outputs. Each is summed up by itself and not in a matrix product, so that a row predicted
    /// alone and the same row among millions come out alike to the last bit.
    fn sums(&self, rows: ArrayView2<'_, f64>) -> Result<Array2<f64>, ModelError> {
        let Some(above) = self.binarize else { return self.plain_sums(rows) };
        // What is not a number stays what it is.
        let binary = |value: f64| if value.is_nan() { value } else { f64::from(u8::from(value > above)) };
        self.plain_sums(rows.mapv(binary).view())
    }

    fn plain_sums(&self, rows: ArrayView2<'_, f64>) -> Result<Array2<f64>, ModelError> {
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
        let mut numbers = self.sums(rows)?.index_axis_move(Axis(1), 0);
        if self.link == Link::Log {
            // Every finite sum has an answer: the largest number stands for those that are larger.
            numbers.mapv_inplace(|sum| sum.exp().min(f64::MAX));
        }
        Ok(numbers)
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
pub(super) fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

/// Turns finite scores into probabilities: exp(score) over the sum of them, with the row's own maximum taken off first so
/// that nothing overflows.
pub(super) fn softmax(mut row: ArrayViewMut1<'_, f64>) {
    let max = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    row.mapv_inplace(|score| (score - max).exp());
    let sum = row.sum();
    row.mapv_inplace(|value| value / sum);
}
