//! Principal components: what is left of a row in a few directions.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::{Finding, ModelError, Predictions};
use crate::exact::Row;

/// The directions, and the point that they go out from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ComponentPredictor {
    means: Row,
    /// One row for each component, one number for each feature.
    components: Vec<Row>,
}

impl ComponentPredictor {
    /// A predictor from the means of the features and the directions.
    #[must_use]
    pub fn new(means: Vec<f64>, components: Vec<Vec<f64>>) -> Self {
        Self { means: Row(means), components: components.into_iter().map(Row).collect() }
    }

    /// The point that the directions go out from.
    #[must_use]
    pub fn means(&self) -> &[f64] {
        &self.means.0
    }

    /// The directions.
    pub fn components(&self) -> impl Iterator<Item = &[f64]> {
        self.components.iter().map(|component| component.0.as_slice())
    }

    /// What it finds.
    #[must_use]
    pub fn finding(&self) -> Finding {
        Finding::Components { count: self.components.len() }
    }

    fn entries(&self) -> impl Iterator<Item = f64> {
        self.components().flatten().copied()
    }

    pub(super) fn check(&self, columns: usize) -> Result<(), ModelError> {
        if self.means.0.len() != columns || self.components().any(|component| component.len() != columns) {
            return Err(ModelError::Invalid(format!(
                "its components are not of the {columns} features of its schema"
            )));
        }
        if self.entries().chain(self.means.0.iter().copied()).all(f64::is_finite) {
            Ok(())
        } else {
            Err(ModelError::Invalid("a component or a mean is not finite".to_owned()))
        }
    }

    /// With larger values than this, a component could be beyond what a 64-bit float holds.
    pub(super) fn largest_value(&self) -> f64 {
        let entry = self.entries().fold(1.0, |most: f64, entry| most.max(entry.abs()));
        let farthest = self.means.0.iter().fold(0.0, |far: f64, mean| far.max(mean.abs()));
        let most = f64::MAX / 8.0 / entry / self.means.0.len().max(1) as f64;
        let exponent = (most - farthest).max(1.0).log10().floor();
        format!("1e{exponent}").parse().unwrap_or(f64::MAX)
    }

    /// The components of rows. Each row is computed by itself.
    ///
    /// # Errors
    /// When a component is not a finite number.
    pub fn find(&self, rows: ArrayView2<'_, f64>) -> Result<Predictions, ModelError> {
        let mut numbers = Array2::zeros((rows.nrows(), self.components.len()));
        let mut centered = vec![0.0; self.means.0.len()];
        for (number, (row, mut places)) in rows.rows().into_iter().zip(numbers.rows_mut()).enumerate() {
            for (place, (value, mean)) in centered.iter_mut().zip(row.iter().zip(&self.means.0)) {
                *place = value - mean;
            }
            for (place, component) in places.iter_mut().zip(self.components()) {
                *place = component.iter().zip(&centered).map(|(entry, value)| entry * value).sum();
            }
            if !places.iter().all(|value: &f64| value.is_finite()) {
                return Err(ModelError::Overflow { row: number });
            }
        }
        Ok(Predictions::Findings { index: Vec::new(), numbers })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn components_are_of_what_differs_from_the_means() {
        let predictor = ComponentPredictor::new(vec![1.0, 2.0], vec![vec![0.6, 0.8], vec![-0.8, 0.6]]);
        predictor.check(2).expect("it fits");
        assert!(predictor.check(3).is_err());
        assert!(ComponentPredictor::new(vec![f64::NAN], vec![vec![1.0]]).check(1).is_err());
        let found = predictor.find(array![[1.0, 2.0], [6.0, 2.0]].view()).expect("components");
        assert_eq!(
            found,
            Predictions::Findings { index: Vec::new(), numbers: array![[0.0, 0.0], [3.0, -4.0]] }
        );
        assert!(predictor.find(array![[f64::MAX, f64::MAX]].view()).is_err());
        let largest = predictor.largest_value();
        assert!(predictor.find(array![[largest, -largest]].view()).is_ok());
    }
}
