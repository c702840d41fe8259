//! Clusters of dense rows: a row belongs to the cluster of the nearest dense row within reach, and to none where there is none.

use ndarray::{Array2, ArrayView2};

use super::neighbors::Answers;
use super::{Finding, ModelError, NeighborsPredictor, Predictions};

/// The dense rows, each with the number of its cluster from 1 on, and how far they reach.
#[derive(Clone, Debug, PartialEq)]
pub struct DensityPredictor {
    cores: NeighborsPredictor,
    eps: f64,
}

impl DensityPredictor {
    /// A predictor from dense rows (so many features each, row after row), their clusters, from 1 to `count`, and how far they reach.
    ///
    /// # Errors
    /// When they do not fit together, or a number is not finite.
    pub fn new(
        width: usize,
        rows: Vec<f64>,
        clusters: Vec<u32>,
        count: usize,
        eps: f64,
    ) -> Result<Self, ModelError> {
        let answers = Answers::Classes { count: count + 1, classes: clusters };
        Ok(Self::of(NeighborsPredictor::new(width, rows, answers, 1, false)?, eps))
    }

    /// The same from a file of rows, to be checked.
    pub(super) fn of(cores: NeighborsPredictor, eps: f64) -> Self {
        Self { cores, eps }
    }

    pub(super) fn cores(&self) -> &NeighborsPredictor {
        &self.cores
    }

    pub(super) fn eps(&self) -> f64 {
        self.eps
    }

    /// What it finds.
    #[must_use]
    pub fn finding(&self) -> Finding {
        Finding::Density { count: self.cores.class_count().saturating_sub(1) }
    }

    pub(super) fn check(&self, columns: usize) -> Result<(), ModelError> {
        if self.cores.width != columns || self.cores.neighbors != 1 {
            return Err(ModelError::Invalid(format!(
                "its dense rows are not of the {columns} features of its schema, or more than one of them answers"
            )));
        }
        if self.eps.is_finite() && self.eps > 0.0 {
            Ok(())
        } else {
            Err(ModelError::Invalid(format!("its dense rows reach {} far", self.eps)))
        }
    }

    /// With larger values than this, the square of a distance could be beyond what a 64-bit float holds.
    pub(super) fn largest_value(&self) -> f64 {
        self.cores.largest_value()
    }

    /// The clusters of rows: the first answer is that of noise.
    ///
    /// # Errors
    /// When a row has no finite distance from others.
    pub fn find(&self, rows: ArrayView2<'_, f64>) -> Result<Predictions, ModelError> {
        let reach = self.eps * self.eps;
        let nearest = self.cores.nearest_class(rows)?;
        let cluster = |(class, square): &(usize, f64)| if *square <= reach { *class } else { 0 };
        let index = nearest.iter().map(cluster).collect();
        let distances = nearest.iter().map(|(_, square)| square.sqrt()).collect();
        let numbers = Array2::from_shape_vec((nearest.len(), 1), distances);
        Ok(Predictions::Findings {
            index,
            numbers: numbers.map_err(|error| ModelError::Invalid(error.to_string()))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn a_row_is_of_the_nearest_dense_row_within_reach_or_noise() {
        let rows = vec![0.0, 0.0, 10.0, 0.0];
        let predictor = DensityPredictor::new(2, rows, vec![2, 1], 2, 1.5).expect("parts that fit");
        predictor.check(2).expect("it fits");
        assert!(predictor.check(3).is_err());
        let found = predictor.find(array![[0.0, 1.5], [9.0, 0.0], [5.0, 0.0]].view()).expect("clusters");
        let numbers = array![[1.5], [1.0], [5.0]];
        assert_eq!(found, Predictions::Findings { index: vec![2, 1, 0], numbers });
        assert!(predictor.find(array![[f64::MAX, 0.0]].view()).is_err());
        let largest = predictor.largest_value();
        assert!(predictor.find(array![[largest, -largest]].view()).is_ok());
        for eps in [0.0, -1.0, f64::INFINITY, f64::NAN] {
            let wrong = DensityPredictor::new(1, vec![0.0], vec![1], 1, eps).expect("rows that fit");
            assert!(wrong.check(1).is_err(), "{eps}");
        }
    }
}
