//! The nearest neighbours: nothing is learned but the rows themselves.

use mlpipeline_crds::{KNeighbors, NeighborWeights};

use super::error::TrainError;
use super::learner::{Classifier, Fitted, Regressor};
use super::matrix::Rows;
use crate::model::{Answers, BINARY_LIMIT, NeighborsPredictor};

/// The nearest neighbours with checked parameters.
#[derive(Clone, Debug)]
pub struct Neighbors {
    neighbors: usize,
    by_distance: bool,
}

impl Neighbors {
    /// An algorithm with these parameters, which are within their bounds.
    #[must_use]
    pub fn new(parameters: &KNeighbors) -> Self {
        let neighbors = parameters.n_neighbors.unwrap_or(KNeighbors::DEFAULT_N_NEIGHBORS);
        Self {
            neighbors: neighbors.unsigned_abs() as usize,
            by_distance: parameters.weights == Some(NeighborWeights::Distance),
        }
    }

    fn keep(&self, rows: &Rows<'_>, answers: Answers) -> Result<Fitted, TrainError> {
        if self.neighbors > rows.len() {
            return Err(TrainError::Data(format!(
                "nNeighbors is {}, and there are {} rows to learn from; lower it, or use more rows",
                self.neighbors,
                rows.len()
            )));
        }
        let size = (rows.len() as u64).saturating_mul(rows.width() as u64 + 1) * 8;
        if size > BINARY_LIMIT {
            return Err(TrainError::Data(format!(
                "a model of nearest neighbours holds its rows, and {} rows of {} features take {} MiB, of which at most {} MiB can \
                 be served; take a sample of the rows in a prepare step, or fewer features",
                rows.len(),
                rows.width(),
                size >> 20,
                BINARY_LIMIT >> 20
            )));
        }
        let values = rows.iter().flat_map(|(_, row)| row.to_vec()).collect();
        let predictor =
            NeighborsPredictor::new(rows.width(), values, answers, self.neighbors, self.by_distance)?;
        Ok(Fitted { predictor: predictor.into(), warning: None })
    }
}

impl Classifier for Neighbors {
    fn fit(&self, rows: &Rows<'_>, classes: &[u32], count: usize) -> Result<Fitted, TrainError> {
        let class = |row: &u32| classes.get(*row as usize).copied().unwrap_or_default();
        let classes = rows.numbers().iter().map(class).collect();
        self.keep(rows, Answers::Classes { count, classes })
    }
}

impl Regressor for Neighbors {
    fn fit(&self, rows: &Rows<'_>, numbers: &[f64]) -> Result<Fitted, TrainError> {
        let number = |row: &u32| numbers.get(*row as usize).copied().unwrap_or_default();
        self.keep(rows, Answers::Numbers(rows.numbers().iter().map(number).collect()))
    }
}
