//! The traits that every algorithm stands behind, whoever wrote it.

use super::error::TrainError;
use super::matrix::Rows;
use super::separation::Endless;
use crate::model::{Predictor, SeasonalPredictor};

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
    /// What of it.
    pub kind: MatrixKind,
}

/// What a column of a matrix has of the column of the table that it was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatrixKind {
    /// Its number.
    Number,
    /// The codes of its categories, which are so many.
    Codes(usize),
    /// The days since 1970.
    Days,
    /// Another part of its time.
    PartOfTime,
    /// Something else: a category, a word, a product.
    Other,
}

/// An algorithm that learns classes. Its parameters were checked when it was made.
pub trait Classifier: Send + Sync {
    /// Learns from rows. `classes` has the class of each row of the matrix, by the row's number, below `count`; each class
    /// occurs among the rows.
    ///
    /// # Errors
    /// When the numbers are beyond what the algorithm can compute with.
    fn fit(&self, rows: &Rows<'_>, classes: &[u32], count: usize) -> Result<Fitted, TrainError>;

    /// The bytes that it holds of each row, of so many columns and with so many classes, where rows are read from a file, as often as
    /// needed and in their order. None where it needs all rows in memory.
    fn row_bytes(&self, _width: usize, _classes: usize) -> Option<usize> {
        None
    }

    /// The weights without a limit of what it learned from these rows, where it has some: nothing is taken off for their size.
    fn endless(
        &self,
        _rows: &Rows<'_>,
        _classes: &[u32],
        _count: usize,
        _fitted: &Predictor,
    ) -> Option<Endless> {
        None
    }

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

    /// How many categories of a column it tells apart, where a column of categories is to be one of codes.
    fn most_codes(&self) -> Option<usize> {
        None
    }
}

/// An algorithm that learns numbers. Its parameters were checked when it was made.
pub trait Regressor: Send + Sync {
    /// Learns from rows. `numbers` has the target of each row of the matrix, by the row's number.
    ///
    /// # Errors
    /// When the numbers are beyond what the algorithm can compute with.
    fn fit(&self, rows: &Rows<'_>, numbers: &[f64]) -> Result<Fitted, TrainError>;

    /// The bytes that it holds of each row of so many columns where rows are read from a file, as often as
    /// needed and in their order. None where it needs all rows in memory.
    fn row_bytes(&self, _width: usize) -> Option<usize> {
        None
    }

    /// The weights without a limit of what it learned from these rows, where it has some: nothing is taken off for their size.
    fn endless(&self, _rows: &Rows<'_>, _numbers: &[f64], _fitted: &Predictor) -> Option<Endless> {
        None
    }

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

    /// How many categories of a column it tells apart, where a column of categories is to be one of codes.
    fn most_codes(&self) -> Option<usize> {
        None
    }

    /// The forecast that it is, where rows are predicted by those before them.
    fn forecast(&self) -> Option<&dyn Forecast> {
        None
    }
}

/// An algorithm that predicts rows by those before them.
pub trait Forecast {
    /// The same with the interval, season and horizon that were found in all rows, so that no part of them finds others.
    fn as_found(&self, found: &SeasonalPredictor) -> Box<dyn Regressor>;
}

/// An algorithm that learns without a target. Its parameters were checked when it was made.
pub trait Finder: Send + Sync {
    /// Learns from rows.
    ///
    /// # Errors
    /// When there is not enough in the rows, or the numbers are beyond what the algorithm can compute with.
    fn fit(&self, rows: &Rows<'_>) -> Result<Fitted, TrainError>;

    /// The bytes that it holds of each row of so many columns where rows are read from a file, as often as
    /// needed and in their order. None where it needs all rows in memory.
    fn row_bytes(&self, _width: usize) -> Option<usize> {
        None
    }
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

impl Learner {
    /// As [`Classifier::row_bytes`], of whichever it is.
    #[must_use]
    pub fn row_bytes(&self, width: usize, classes: usize) -> Option<usize> {
        match self {
            Self::Classifier(learner) => learner.row_bytes(width, classes),
            Self::Regressor(learner) => learner.row_bytes(width),
            Self::Finder(learner) => learner.row_bytes(width),
        }
    }
}
