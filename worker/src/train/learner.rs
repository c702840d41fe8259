//! The traits that every algorithm stands behind, whoever wrote it.

use super::error::TrainError;
use super::matrix::Rows;
use crate::model::Predictor;

/// An algorithm's result.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// What predicts.
    pub predictor: Predictor,
    /// What the user should know of how it went.
    pub warning: Option<String>,
}

/// An algorithm that learns classes. Its parameters were checked when it was made.
pub trait Classifier: Send + Sync {
    /// Learns from rows. `classes` has the class of each row of the matrix, by the row's number, below `count`; each class
    /// occurs among the rows.
    ///
    /// # Errors
    /// When the numbers are beyond what the algorithm can compute with.
    fn fit(&self, rows: &Rows<'_>, classes: &[u32], count: usize) -> Result<Fitted, TrainError>;
}

/// An algorithm that learns numbers. Its parameters were checked when it was made.
pub trait Regressor: Send + Sync {
    /// Learns from rows. `numbers` has the target of each row of the matrix, by the row's number.
    ///
    /// # Errors
    /// When the numbers are beyond what the algorithm can compute with.
    fn fit(&self, rows: &Rows<'_>, numbers: &[f64]) -> Result<Fitted, TrainError>;
}

/// An algorithm with checked parameters.
pub enum Learner {
    /// Of classes.
    Classifier(Box<dyn Classifier>),
    /// Of numbers.
    Regressor(Box<dyn Regressor>),
}
