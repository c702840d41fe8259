//! Prediction by Gaussian naive Bayes: every feature of a class has a normal distribution, independent of the others.

use ndarray::{Array2, ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::linear::softmax;
use super::{ModelError, Predictions, Target};
use crate::exact::Row;

/// The distributions by class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GaussianPredictor {
    /// The logarithm of each class's share of the rows.
    log_priors: Row,
    /// One row for each class, one number for each feature.
    means: Vec<Row>,
    /// As the means.
    variances: Vec<Row>,
}

impl GaussianPredictor {
    /// A predictor from what was learned of each class.
    #[must_use]
    pub fn new(log_priors: Vec<f64>, means: Vec<Vec<f64>>, variances: Vec<Vec<f64>>) -> Self {
        let rows = |rows: Vec<Vec<f64>>| rows.into_iter().map(Row).collect();
        Self { log_priors: Row(log_priors), means: rows(means), variances: rows(variances) }
    }

    /// The logarithm of each class's share of the rows.
    #[must_use]
    pub fn log_priors(&self) -> &[f64] {
        &self.log_priors.0
    }

    /// The means of each class's features.
    pub fn means(&self) -> impl Iterator<Item = &[f64]> {
        self.means.iter().map(|row| row.0.as_slice())
    }

    /// The variances of each class's features.
    pub fn variances(&self) -> impl Iterator<Item = &[f64]> {
        self.variances.iter().map(|row| row.0.as_slice())
    }

    pub(super) fn check(&self, columns: usize, target: &Target) -> Result<(), ModelError> {
        let classes = target.labels().len();
        let shaped = |rows: &[Row]| rows.len() == classes && rows.iter().all(|row| row.0.len() == columns);
        if classes < 2
            || self.log_priors.0.len() != classes
            || !shaped(&self.means)
            || !shaped(&self.variances)
        {
            let problem =
                format!("its schema needs means and variances of {classes} classes × {columns} features");
            return Err(ModelError::Invalid(problem));
        }
        let means = self.means.iter().flat_map(|row| &row.0);
        let finite = means.chain(&self.log_priors.0).all(|number| number.is_finite());
        if finite && self.all_variances().all(|variance| variance.is_normal() && variance > 0.0) {
            Ok(())
        } else {
            Err(ModelError::Invalid("a mean is not finite, or a variance is not above 0".to_owned()))
        }
    }

    fn all_variances(&self) -> impl Iterator<Item = f64> {
        self.variances.iter().flat_map(|row| row.0.iter().copied())
    }

    /// With larger values than this, a likelihood could be beyond what a 64-bit float holds.
    pub(super) fn largest_value(&self) -> f64 {
        let smallest = self.all_variances().fold(1.0, f64::min);
        let farthest =
            self.means.iter().flat_map(|row| &row.0).fold(0.0, |far: f64, mean| far.max(mean.abs()));
        let features = self.means.first().map_or(1, |row| row.0.len().max(1)) as f64;
        // Half of the largest distance from a mean, so that the mean itself has room.
        let distance = (f64::MAX / 8.0 / features).sqrt() * smallest.sqrt() / 2.0;
        let exponent = (distance - farthest).max(1.0).log10().floor();
        format!("1e{exponent}").parse().unwrap_or(f64::MAX)
    }

    /// The classes of rows, with their probabilities. Each row is computed by itself.
    ///
    /// # Errors
    /// When a row's likelihood is not a finite number.
    pub fn classes(&self, rows: ArrayView2<'_, f64>) -> Result<Predictions, ModelError> {
        let mut scores = Array2::zeros((rows.nrows(), self.log_priors.0.len()));
        for (number, (row, mut scores)) in rows.rows().into_iter().zip(scores.rows_mut()).enumerate() {
            let classes = self.log_priors.0.iter().zip(&self.means).zip(&self.variances);
            for (score, ((prior, means), variances)) in scores.iter_mut().zip(classes) {
                *score = prior + log_likelihood(row, &means.0, &variances.0);
            }
            if !scores.iter().all(|score| score.is_finite()) {
                return Err(ModelError::Overflow { row: number });
            }
            softmax(scores);
        }
        Ok(Predictions::from_probabilities(scores))
    }
}

fn log_likelihood(row: ArrayView1<'_, f64>, means: &[f64], variances: &[f64]) -> f64 {
    let features = row.iter().zip(means).zip(variances);
    let sum: f64 = features
        .map(|((value, mean), variance)| {
            let distance = value - mean;
            (std::f64::consts::TAU * variance).ln() + distance * distance / variance
        })
        .sum();
    -0.5 * sum
}
