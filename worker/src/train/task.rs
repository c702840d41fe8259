//! What is to be learnt: an algorithm together with the target of every row.

use ndarray::ArrayView2;

use super::error::TrainError;
use super::learner::{Classifier, Fitted, Regressor};
use super::matrix::Rows;
use super::metrics::{Metrics, Predict, measure_classes, measure_numbers};
use super::split::{Names, Strata};
use crate::model::{Label, Predictions, Predictor};

/// An algorithm and the targets that it learns.
pub(super) enum Task {
    /// Learning classes.
    Classify {
        learner: Box<dyn Classifier>,
        /// The classes, sorted.
        labels: Vec<Label>,
        /// The class of each row.
        classes: Vec<u32>,
    },
    /// Learning numbers.
    Regress {
        learner: Box<dyn Regressor>,
        /// The number of each row.
        numbers: Vec<f64>,
    },
}

impl Names for Vec<Label> {
    fn name(&self, class: usize) -> String {
        self.get(class).map(ToString::to_string).unwrap_or_default()
    }
}

impl Task {
    /// Learns from rows.
    pub(super) fn fit(&self, rows: &Rows<'_>) -> Result<Fitted, TrainError> {
        match self {
            Self::Classify { learner, labels, classes } => {
                self.check_classes(rows)?;
                learner.fit(rows, classes, labels.len())
            }
            Self::Regress { learner, numbers } => learner.fit(rows, numbers),
        }
    }

    /// A class without a row to learn it from has no weights that could be learnt.
    fn check_classes(&self, rows: &Rows<'_>) -> Result<(), TrainError> {
        match self.missing_classes(rows).first() {
            None => Ok(()),
            Some(class) => Err(TrainError::Data(format!(
                "no row of class \"{class}\" is among the {} rows to learn from; set split.stratify to true, or leave such \
                 rows out in a prepare step",
                rows.len()
            ))),
        }
    }

    /// The classes of which none of these rows is; none of a regression.
    pub(super) fn missing_classes(&self, rows: &Rows<'_>) -> Vec<String> {
        let Some(strata) = self.strata() else { return Vec::new() };
        let mut missing: Vec<bool> = vec![true; strata.count];
        for row in rows.numbers() {
            let class = strata.classes.get(*row as usize).map_or(0, |class| *class as usize);
            if let Some(missing) = missing.get_mut(class) {
                *missing = false;
            }
        }
        let numbers = missing.iter().enumerate().filter(|(_, missing)| **missing);
        numbers.map(|(class, _)| strata.name.name(class)).collect()
    }

    /// Measures what was learnt.
    pub(super) fn measure(&self, predictor: &Predictor, rows: &Rows<'_>) -> Result<Metrics, TrainError> {
        match self {
            Self::Classify { .. } => {
                self.measure_with(rows, &|block: ArrayView2<'_, f64>| predictor.classes(block))
            }
            Self::Regress { .. } => self.measure_with(rows, &|block: ArrayView2<'_, f64>| {
                predictor.numbers(block).map(Predictions::Numbers)
            }),
        }
    }

    /// Measures any predictions. Classes are indices into this task's labels; one beyond them is never right.
    pub(super) fn measure_with(&self, rows: &Rows<'_>, predict: &Predict<'_>) -> Result<Metrics, TrainError> {
        match self {
            Self::Classify { labels, classes, .. } => measure_classes(rows, classes, labels.len(), predict),
            Self::Regress { numbers, .. } => measure_numbers(rows, numbers, predict),
        }
    }

    /// The classes of all rows; none of a regression.
    pub(super) fn strata(&self) -> Option<Strata<'_>> {
        match self {
            Self::Classify { labels, classes, .. } => {
                Some(Strata { classes, count: labels.len(), name: labels })
            }
            Self::Regress { .. } => None,
        }
    }
}
