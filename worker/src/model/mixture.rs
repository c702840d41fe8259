//! A mixture of normal distributions with full covariances: how likely a row is of each.
//!
//! Owns the likelihoods, for training and prediction alike. A distribution is stored by the triangle whose product with itself is
//! the inverse of its covariance, as scikit-learn has it (`precisions_cholesky_`).

use std::f64::consts::TAU;

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::linear::softmax;
use super::{Finding, ModelError, Predictions};
use crate::exact::Row;

/// The distributions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MixturePredictor {
    /// The logarithm of each distribution's share of the rows.
    log_weights: Row,
    /// One row for each distribution, one number for each feature.
    means: Vec<Row>,
    /// One for each distribution: row by row, the lower triangle that turns a row's distance from the mean into numbers of
    /// variance 1 without correlation.
    whitening: Vec<Row>,
}

impl MixturePredictor {
    /// A predictor from the weights, means and whitening triangles of its distributions.
    #[must_use]
    pub fn new(weights: &[f64], means: Vec<Vec<f64>>, whitening: Vec<Vec<f64>>) -> Self {
        let rows = |rows: Vec<Vec<f64>>| rows.into_iter().map(Row).collect();
        let log_weights = Row(weights.iter().map(|weight| weight.ln()).collect());
        Self { log_weights, means: rows(means), whitening: rows(whitening) }
    }

    /// The means.
    pub fn means(&self) -> impl Iterator<Item = &[f64]> {
        self.means.iter().map(|mean| mean.0.as_slice())
    }

    /// The logarithm of each distribution's share of the rows.
    #[must_use]
    pub fn log_weights(&self) -> &[f64] {
        &self.log_weights.0
    }

    /// For each distribution the triangle that makes a row's distance from its mean numbers of variance 1, row by row.
    pub fn whitening(&self) -> impl Iterator<Item = &[f64]> {
        self.whitening.iter().map(|row| row.0.as_slice())
    }

    /// What it finds.
    #[must_use]
    pub fn finding(&self) -> Finding {
        Finding::Mixture { count: self.log_weights.0.len() }
    }

    pub(super) fn check(&self, columns: usize) -> Result<(), ModelError> {
        let count = self.log_weights.0.len();
        let triangle = columns * (columns + 1) / 2;
        let shaped =
            |rows: &[Row], width: usize| rows.len() == count && rows.iter().all(|row| row.0.len() == width);
        if !shaped(&self.means, columns) || !shaped(&self.whitening, triangle) {
            let problem =
                format!("its schema needs means and triangles of {count} clusters × {columns} features");
            return Err(ModelError::Invalid(problem));
        }
        let numbers =
            self.means.iter().chain(&self.whitening).flat_map(|row| &row.0).chain(&self.log_weights.0);
        if !numbers.into_iter().all(|number| number.is_finite()) {
            return Err(ModelError::Invalid("a weight, mean or triangle is not finite".to_owned()));
        }
        let diagonals = self.whitening.iter().flat_map(|triangle| diagonal(&triangle.0));
        if diagonals.into_iter().all(|entry| entry > 0.0) {
            Ok(())
        } else {
            Err(ModelError::Invalid("a variance is not above 0".to_owned()))
        }
    }

    /// With larger values than this, a likelihood could be beyond what a 64-bit float holds.
    pub(super) fn largest_value(&self) -> f64 {
        let farthest = self.means().flatten().fold(0.0, |far: f64, value| far.max(value.abs()));
        let entry =
            self.whitening.iter().flat_map(|row| &row.0).fold(1.0, |most: f64, entry| most.max(entry.abs()));
        let width = self.means().next().map_or(1, <[f64]>::len).max(1) as f64;
        let distance = (f64::MAX / 8.0 / width).sqrt() / entry / width / 2.0;
        let exponent = (distance - farthest).max(1.0).log10().floor();
        format!("1e{exponent}").parse().unwrap_or(f64::MAX)
    }

    /// The logarithm of each distribution's share of a row's likelihood, into `scores`. `distance` has room for a row.
    pub fn log_likelihoods(&self, row: &[f64], distance: &mut [f64], scores: &mut [f64]) {
        let each = self.log_weights.0.iter().zip(&self.means).zip(&self.whitening);
        for (score, ((weight, mean), whitening)) in scores.iter_mut().zip(each) {
            for (distance, (value, mean)) in distance.iter_mut().zip(row.iter().zip(&mean.0)) {
                *distance = value - mean;
            }
            let (mut rest, mut squares, mut log_scale) = (whitening.0.as_slice(), 0.0, 0.0);
            for place in 0..row.len() {
                let Some((entries, more)) = rest.split_at_checked(place + 1) else { break };
                let sum: f64 = entries.iter().zip(&*distance).map(|(entry, value)| entry * value).sum();
                squares += sum * sum;
                log_scale += entries.last().map_or(0.0, |entry| entry.ln());
                rest = more;
            }
            *score = weight + log_scale - 0.5 * (row.len() as f64 * TAU.ln() + squares);
        }
    }

    /// The likeliest clusters of rows, with the probability of each. Each row is computed by itself.
    ///
    /// # Errors
    /// When a row's likelihood is not a finite number.
    pub fn find(&self, rows: ArrayView2<'_, f64>) -> Result<Predictions, ModelError> {
        let count = self.log_weights.0.len();
        let mut numbers = Array2::zeros((rows.nrows(), count));
        let (mut distance, mut scores) = (vec![0.0; rows.ncols()], vec![0.0; count]);
        for (number, (row, mut places)) in rows.rows().into_iter().zip(numbers.rows_mut()).enumerate() {
            self.log_likelihoods(&row.to_vec(), &mut distance, &mut scores);
            if !scores.iter().all(|score| score.is_finite()) {
                return Err(ModelError::Overflow { row: number });
            }
            places.iter_mut().zip(&scores).for_each(|(place, score)| *place = *score);
            softmax(places);
        }
        match Predictions::from_probabilities(numbers) {
            Predictions::Classes { index, probabilities: numbers } => {
                Ok(Predictions::Findings { index, numbers })
            }
            other @ (Predictions::Numbers(_) | Predictions::Findings { .. }) => Ok(other),
        }
    }
}

/// The entries on the diagonal of a triangle.
fn diagonal(triangle: &[f64]) -> Vec<f64> {
    let ends = (1..).scan(0, |end, width| {
        *end += width;
        Some(*end - 1)
    });
    ends.map_while(|end: usize| triangle.get(end).copied()).collect()
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn a_row_is_of_the_likeliest_distribution() {
        // The second is narrow along the first feature: its whitening is 10 there.
        let predictor = MixturePredictor::new(
            &[0.75, 0.25],
            vec![vec![0.0, 0.0], vec![3.0, 0.0]],
            vec![vec![1.0, 0.0, 1.0], vec![10.0, 0.0, 1.0]],
        );
        predictor.check(2).expect("it fits");
        assert!(predictor.check(3).is_err());
        let found = predictor.find(array![[3.0, 0.0], [2.0, 0.0]].view()).expect("clusters");
        let Predictions::Findings { index, numbers } = found else { panic!("findings") };
        assert_eq!(index, [1, 0]);
        // 0.25 × 10 beside 0.75 × exp(-4.5).
        let expected = 2.5 / (2.5 + 0.75 * (-4.5_f64).exp());
        assert!((numbers[[0, 1]] - expected).abs() < 1e-12, "{numbers}");
        assert!(predictor.find(array![[f64::MAX, 0.0]].view()).is_err());
        let largest = predictor.largest_value();
        assert!(predictor.find(array![[largest, -largest]].view()).is_ok());
    }

    #[test]
    fn distributions_without_variance_are_refused() {
        let with = |whitening: Vec<f64>| {
            MixturePredictor::new(&[1.0], vec![vec![0.0, 0.0]], vec![whitening]).check(2)
        };
        assert!(with(vec![1.0, 0.5, 1.0]).is_ok());
        assert!(with(vec![1.0, 0.5, 0.0]).is_err() && with(vec![1.0, f64::NAN, 1.0]).is_err());
        assert!(with(vec![1.0]).is_err());
    }
}
