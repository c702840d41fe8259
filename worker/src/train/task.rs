//! What is to be learnt: an algorithm together with the target of every row.

use ndarray::ArrayView2;

use super::error::TrainError;
use super::findings::measure_findings;
use super::learner::{Classifier, Finder, Fitted, Forecast, Learner, MatrixColumn, Names, Regressor};
use super::matrix::Rows;
use super::measure::{Predict, measure_classes, measure_numbers};
use super::memory::of_measured_classes;
use super::split::{Names as ClassNames, Strata};
use crate::evaluation::Outcomes;
use crate::model::{Finding, Label, Predictions, Predictor, Target};

/// The most different whole numbers that are taken as names of classes without a word.
const MOST_NUMBERS_AS_NAMES: usize = 50;

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
    /// Learning without a target.
    Find { learner: Box<dyn Finder> },
}

/// Classes and numbers are not learnt by the same algorithm.
fn other_kind() -> TrainError {
    TrainError::Internal("the algorithm does not learn what the target is".to_owned())
}

impl ClassNames for Vec<Label> {
    fn name(&self, class: usize) -> String {
        self.get(class).map(ToString::to_string).unwrap_or_default()
    }
}

impl Task {
    /// Learns from rows of these columns.
    pub(super) fn fit(&self, rows: &Rows<'_>, columns: &[MatrixColumn<'_>]) -> Result<Fitted, TrainError> {
        match self {
            Self::Classify { learner, .. } => self.fit_classes(learner.as_ref(), rows, columns),
            Self::Regress { learner, .. } => self.fit_numbers(learner.as_ref(), rows, columns),
            Self::Find { learner } => learner.fit(rows),
        }
    }

    /// [`Task::fit`] by another learner of the same kind.
    pub(super) fn fit_by(
        &self,
        learner: &Learner,
        rows: &Rows<'_>,
        columns: &[MatrixColumn<'_>],
    ) -> Result<Fitted, TrainError> {
        match learner {
            Learner::Classifier(learner) => self.fit_classes(learner.as_ref(), rows, columns),
            Learner::Regressor(learner) => self.fit_numbers(learner.as_ref(), rows, columns),
            Learner::Finder(learner) => learner.fit(rows),
        }
    }

    fn fit_classes(
        &self,
        learner: &dyn Classifier,
        rows: &Rows<'_>,
        columns: &[MatrixColumn<'_>],
    ) -> Result<Fitted, TrainError> {
        let Self::Classify { labels, classes, .. } = self else { return Err(other_kind()) };
        let names: Vec<String> = labels.iter().map(ToString::to_string).collect();
        let placed = learner.placed(&Names { columns, classes: &names })?;
        placed.as_deref().unwrap_or(learner).fit(rows, classes, labels.len())
    }

    fn fit_numbers(
        &self,
        learner: &dyn Regressor,
        rows: &Rows<'_>,
        columns: &[MatrixColumn<'_>],
    ) -> Result<Fitted, TrainError> {
        let Self::Regress { numbers, .. } = self else { return Err(other_kind()) };
        let placed = learner.placed(&Names { columns, classes: &[] })?;
        placed.as_deref().unwrap_or(learner).fit(rows, numbers)
    }

    /// Learns by another learner of the same kind from here on.
    pub(super) fn learn_by(&mut self, other: Learner) -> Result<(), TrainError> {
        match (self, other) {
            (Self::Classify { learner, .. }, Learner::Classifier(other)) => *learner = other,
            (Self::Regress { learner, .. }, Learner::Regressor(other)) => *learner = other,
            (Self::Find { learner }, Learner::Finder(other)) => *learner = other,
            _ => return Err(other_kind()),
        }
        Ok(())
    }

    /// What the learner holds of each row of so many columns that is read from a file; none where all must be in memory.
    pub(super) fn row_bytes(&self, width: usize) -> Option<usize> {
        match self {
            Self::Classify { learner, labels, classes } => {
                let own = learner.row_bytes(width, labels.len())?;
                Some(own.saturating_add(of_measured_classes(labels.len(), classes.len())))
            }
            Self::Regress { learner, .. } => learner.row_bytes(width),
            Self::Find { learner } => learner.row_bytes(width),
        }
    }

    /// Whether missing numbers are not to be imputed.
    pub(super) fn takes_missing(&self) -> bool {
        match self {
            Self::Classify { learner, .. } => learner.takes_missing(),
            Self::Regress { learner, .. } => learner.takes_missing(),
            Self::Find { .. } => false,
        }
    }

    /// How many categories of a column are distinguished, where columns of categories are to be codes.
    pub(super) fn most_codes(&self) -> Option<usize> {
        match self {
            Self::Classify { learner, .. } => learner.most_codes(),
            Self::Regress { learner, .. } => learner.most_codes(),
            Self::Find { .. } => None,
        }
    }

    /// The forecast that learns, where one does.
    pub(super) fn forecast(&self) -> Option<&dyn Forecast> {
        match self {
            Self::Regress { learner, .. } => learner.forecast(),
            Self::Classify { .. } | Self::Find { .. } => None,
        }
    }

    /// What to do where the classes look like amounts: that many different whole numbers are seldom names of something.
    pub(super) fn amounts(&self) -> Option<String> {
        let Self::Classify { labels, .. } = self else { return None };
        let are_numbers = matches!(labels.first(), Some(Label::Integer(_)));
        (are_numbers && labels.len() > MOST_NUMBERS_AS_NAMES).then(|| {
            format!(
                "the target has {} different whole numbers, and each was taken as a class; if it is an amount, choose an algorithm \
                 that predicts numbers, or set its task to regression",
                labels.len()
            )
        })
    }

    /// The classes that are texts; none where they are not, or of a regression.
    pub(super) fn texts(&self) -> Option<impl Iterator<Item = &str>> {
        let Self::Classify { labels, .. } = self else { return None };
        let text = |label: &'_ Label| matches!(label, Label::Text(_));
        labels.first().is_some_and(text).then(|| {
            labels.iter().filter_map(|label| match label {
                Label::Text(text) => Some(text.as_str()),
                Label::Boolean(_) | Label::Integer(_) => None,
            })
        })
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

    /// What was learnt, tried on rows.
    pub(super) fn measure(&self, predictor: &Predictor, rows: &Rows<'_>) -> Result<Outcomes, TrainError> {
        match self {
            Self::Classify { .. } => {
                self.measure_with(rows, &|block: ArrayView2<'_, f64>| predictor.classes(block))
            }
            Self::Regress { .. } => self.measure_with(rows, &|block: ArrayView2<'_, f64>| {
                predictor.numbers(block).map(Predictions::Numbers)
            }),
            Self::Find { .. } => {
                let finding = found_by(predictor)?;
                measure_findings(&finding, rows, rows, &|block: ArrayView2<'_, f64>| {
                    predictor.findings(block)
                })
            }
        }
    }

    /// Any predictions for rows, beside their targets. Classes are indices into this task's labels; one beyond them is never right.
    /// Without a target there is nothing beside them.
    pub(super) fn measure_with(
        &self,
        rows: &Rows<'_>,
        predict: &Predict<'_>,
    ) -> Result<Outcomes, TrainError> {
        match self {
            Self::Classify { labels, classes, .. } => measure_classes(rows, classes, labels.len(), predict),
            Self::Regress { learner, numbers } => measure_numbers(rows, numbers, learner.quantile(), predict),
            Self::Find { .. } => {
                Err(TrainError::Internal("there are no targets to measure predictions beside".to_owned()))
            }
        }
    }

    /// What is predicted, with what a predictor may answer, as these rows have it.
    pub(super) fn target(
        &self,
        name: &str,
        predictor: &Predictor,
        rows: &Rows<'_>,
    ) -> Result<Target, TrainError> {
        let name = name.to_owned();
        match self {
            Self::Classify { labels, .. } => Ok(Target::Class { name, labels: labels.clone() }),
            Self::Regress { numbers, .. } => {
                let values = rows.numbers().iter().filter_map(|row| numbers.get(*row as usize));
                let (min, max) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), value| {
                    (min.min(*value), max.max(*value))
                });
                Ok(Target::Number { name, min, max })
            }
            Self::Find { .. } => found_by(predictor).map(Target::Finding),
        }
    }

    /// What may be answered: the classes, or what a predictor finds; nothing of a regression.
    pub(super) fn answers(&self, predictor: &Predictor) -> Result<Vec<Label>, TrainError> {
        match self {
            Self::Classify { labels, .. } => Ok(labels.clone()),
            Self::Regress { .. } => Ok(Vec::new()),
            Self::Find { .. } => Ok(found_by(predictor)?.answers()),
        }
    }

    /// The classes of all rows; none of a regression.
    pub(super) fn strata(&self) -> Option<Strata<'_>> {
        match self {
            Self::Classify { labels, classes, .. } => {
                Some(Strata { classes, count: labels.len(), name: labels })
            }
            Self::Regress { .. } | Self::Find { .. } => None,
        }
    }
}

/// What a predictor finds that was learned without a target.
fn found_by(predictor: &Predictor) -> Result<Finding, TrainError> {
    let none = || TrainError::Internal("an algorithm without a target learned to predict one".to_owned());
    predictor.finding().ok_or_else(none)
}
