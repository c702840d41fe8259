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

/// What columns of a matrix and classes are called, for parameters that name them.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// The columns of the matrix.
    pub columns: &'a [MatrixColumn<'a>],
    /// The classes; none where numbers are learnt.
    pub classes: &'a [String],
}

/// A column of a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatrixColumn<'a> {
    /// The column of the table that it was made from.
    pub name: &'a str,
    /// Whether it is that column's number, and not a part of a date or a category.
    pub is_number: bool,
    /// Of a column of codes of categories, how many codes there are.
    pub codes: Option<usize>,
}

/// An algorithm that learns classes. Its parameters were checked when it was made.
pub trait Classifier: Send + Sync {
    /// Learns from rows. `classes` has the class of each row of the matrix, by the row's number, below `count`; each class
    /// occurs among the rows.
    ///
    /// # Errors
    /// When the numbers are beyond what the algorithm can compute with.
    fn fit(&self, rows: &Rows<'_>, classes: &[u32], count: usize) -> Result<Fitted, TrainError>;

    /// The algorithm with the places of what its parameters name; none where they name nothing.
    ///
    /// # Errors
    /// When a parameter names what is not there.
    fn placed(&self, _names: &Names<'_>) -> Result<Option<Box<dyn Classifier>>, TrainError> {
        Ok(None)
    }

    /// Whether it learns from rows in which numbers are missing, so that none is imputed.
    fn takes_missing(&self) -> bool {
        false
    }

    /// Whether it splits categories by sets of them, so that a column of categories is one of codes.
    fn splits_categories(&self) -> bool {
        false
    }
}

/// An algorithm that learns numbers. Its parameters were checked when it was made.
pub trait Regressor: Send + Sync {
    /// Learns from rows. `numbers` has the target of each row of the matrix, by the row's number.
    ///
    /// # Errors
    /// When the numbers are beyond what the algorithm can compute with.
    fn fit(&self, rows: &Rows<'_>, numbers: &[f64]) -> Result<Fitted, TrainError>;

    /// The quantile that is predicted, where it is not a mean.
    fn quantile(&self) -> Option<f64> {
        None
    }

    /// The algorithm with the places of what its parameters name; none where they name nothing.
    ///
    /// # Errors
    /// When a parameter names what is not there.
    fn placed(&self, _names: &Names<'_>) -> Result<Option<Box<dyn Regressor>>, TrainError> {
        Ok(None)
    }

    /// Whether it learns from rows in which numbers are missing, so that none is imputed.
    fn takes_missing(&self) -> bool {
        false
    }

    /// Whether it splits categories by sets of them, so that a column of categories is one of codes.
    fn splits_categories(&self) -> bool {
        false
    }
}

/// An algorithm that learns without a target. Its parameters were checked when it was made.
pub trait Finder: Send + Sync {
    /// Learns from rows.
    ///
    /// # Errors
    /// When there is not enough in the rows, or the numbers are beyond what the algorithm can compute with.
    fn fit(&self, rows: &Rows<'_>) -> Result<Fitted, TrainError>;
}

/// An algorithm with checked parameters.
pub enum Learner {
    /// Of classes.
    Classifier(Box<dyn Classifier>),
    /// Of numbers.
    Regressor(Box<dyn Regressor>),
    /// Without a target.
    Finder(Box<dyn Finder>),
}
