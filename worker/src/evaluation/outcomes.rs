//! What was predicted for rows, beside what is true of them.
//!
//! Owns what is kept of a prediction. For a class it is what metrics need of a row, and the scores that rank rows, which are only
//! kept up to a bound: memory grows with the rows that are measured, and not without end with the classes.

use ndarray::ArrayView1;

use super::by_name::Metrics;
use super::findings::FindingOutcomes;

/// The most scores that are kept: 64 MiB of them. With more, what ranks rows is not measured.
const SCORE_LIMIT: usize = 1 << 23;

/// Predictions for rows, with the truth.
#[derive(Clone, Debug)]
pub enum Outcomes {
    /// Of classes.
    Classes(ClassOutcomes),
    /// Of numbers.
    Numbers(NumberOutcomes),
    /// Without a target.
    Findings(FindingOutcomes),
}

/// Predictions of classes, with the right ones; classes are numbered from 0.
#[derive(Clone, Debug)]
pub struct ClassOutcomes {
    classes: usize,
    /// How many scores a row has: one for two classes, else one a class; none when they would be too many.
    columns: usize,
    pub(super) actual: Vec<u32>,
    /// `classes` where a model of other classes predicted none of these.
    pub(super) predicted: Vec<u32>,
    /// The probability that was given to the right class.
    pub(super) right: Vec<f64>,
    /// The sum over classes of the squared error of the probability.
    pub(super) squares: Vec<f64>,
    /// The probability that was given to the predicted class.
    pub(super) confidence: Vec<f64>,
    scores: Vec<f64>,
}

/// Predictions of numbers, with the right ones.
#[derive(Clone, Debug, Default)]
pub struct NumberOutcomes {
    /// The quantile that was to be predicted, where it was not a mean.
    quantile: Option<f64>,
    pub(super) actual: Vec<f64>,
    pub(super) predicted: Vec<f64>,
    /// Of a forecast, what each row's error is divided by for MASE; not more than 0 where there is nothing to divide by.
    pub(super) scales: Vec<f64>,
}

impl ClassOutcomes {
    /// No outcomes yet, of so many classes; about `rows` in all are to come.
    #[must_use]
    pub fn new(classes: usize, rows: usize) -> Self {
        Self::bounded(classes, rows, SCORE_LIMIT)
    }

    pub(super) fn bounded(classes: usize, rows: usize, limit: usize) -> Self {
        let columns = if classes == 2 { 1 } else { classes };
        let columns = if rows.saturating_mul(columns) > limit { 0 } else { columns };
        let none = Vec::new;
        Self {
            classes,
            columns,
            actual: Vec::new(),
            predicted: Vec::new(),
            right: none(),
            squares: none(),
            confidence: none(),
            scores: none(),
        }
    }

    /// The same with room for exactly so many rows more: rows that come one by one would take up to twice of it.
    #[must_use]
    pub fn with_room(mut self, rows: usize) -> Self {
        self.actual.reserve_exact(rows);
        self.predicted.reserve_exact(rows);
        self.right.reserve_exact(rows);
        self.squares.reserve_exact(rows);
        self.confidence.reserve_exact(rows);
        self.scores.reserve_exact(rows.saturating_mul(self.columns));
        self
    }

    /// How many bytes a row takes, and, for as long as one class's scores are ranked, what that takes.
    #[must_use]
    pub fn row_bytes(&self) -> usize {
        /// A score with its class, and a point of its curve, which may have room for as many again.
        const RANKED: usize = 16 + 2 * 8;
        let ranked = if self.columns == 0 { 0 } else { RANKED };
        2 * size_of::<u32>() + (3 + self.columns) * size_of::<f64>() + ranked
    }

    /// Adds a row: its class, the predicted class, and the probability of each class.
    pub fn push(&mut self, actual: usize, predicted: usize, probabilities: ArrayView1<'_, f64>) {
        let of = |class: usize| probabilities.get(class).copied().unwrap_or_default();
        let squared = |(class, probability): (usize, &f64)| {
            let truth = if class == actual { 1.0 } else { 0.0 };
            (probability - truth) * (probability - truth)
        };
        self.actual.push(actual as u32);
        self.predicted.push(predicted.min(self.classes) as u32);
        self.right.push(of(actual));
        self.squares.push(probabilities.iter().enumerate().map(squared).sum());
        self.confidence.push(of(predicted));
        match self.columns {
            0 => {}
            1 => self.scores.push(of(1)),
            columns => self.scores.extend((0..columns).map(of)),
        }
    }

    /// How many classes there are.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The probability of a class in each row, with whether it is the right one; none where scores are not kept.
    pub(super) fn scores_of(&self, class: usize) -> Option<Vec<(f64, bool)>> {
        let mirrored = self.classes == 2 && class == 0;
        let column = if self.columns == 1 { 0 } else { class };
        if self.columns == 0 || column >= self.columns {
            return None;
        }
        let scores = self.scores.chunks_exact(self.columns).filter_map(|row| row.get(column));
        let scores = scores.map(|score| if mirrored { 1.0 - score } else { *score });
        Some(scores.zip(self.actual.iter().map(|actual| *actual as usize == class)).collect())
    }

    fn append(&mut self, mut other: Self) {
        self.actual.append(&mut other.actual);
        self.predicted.append(&mut other.predicted);
        self.right.append(&mut other.right);
        self.squares.append(&mut other.squares);
        self.confidence.append(&mut other.confidence);
        self.scores.append(&mut other.scores);
    }

    fn select(&self, rows: &[u32]) -> Self {
        let numbers = |values: &[f64]| picked(values, rows);
        let scores = rows.iter().flat_map(|row| {
            let start = *row as usize * self.columns;
            self.scores.get(start..start + self.columns).unwrap_or_default().iter().copied()
        });
        Self {
            classes: self.classes,
            columns: self.columns,
            actual: picked(&self.actual, rows),
            predicted: picked(&self.predicted, rows),
            right: numbers(&self.right),
            squares: numbers(&self.squares),
            confidence: numbers(&self.confidence),
            scores: scores.collect(),
        }
    }
}

impl NumberOutcomes {
    /// No outcomes yet, of a model of this quantile, or of the mean.
    #[must_use]
    pub fn of_quantile(quantile: Option<f64>) -> Self {
        Self { quantile, ..Self::default() }
    }

    /// The same with what each row's error is divided by for MASE.
    #[must_use]
    pub fn scaled_by(self, scales: Vec<f64>) -> Self {
        Self { scales, ..self }
    }

    /// The quantile that was to be predicted, where it was not a mean.
    #[must_use]
    pub fn quantile(&self) -> Option<f64> {
        self.quantile
    }

    /// The same with room for exactly so many rows more.
    #[must_use]
    pub fn with_room(mut self, rows: usize) -> Self {
        self.actual.reserve_exact(rows);
        self.predicted.reserve_exact(rows);
        self
    }

    /// Adds a row: its number, and the predicted one.
    pub fn push(&mut self, actual: f64, predicted: f64) {
        self.actual.push(actual);
        self.predicted.push(predicted);
    }

    /// The rows: what is true, and what was predicted.
    pub fn rows(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.actual.iter().copied().zip(self.predicted.iter().copied())
    }
}

fn picked<T: Copy>(values: &[T], rows: &[u32]) -> Vec<T> {
    rows.iter().filter_map(|row| values.get(*row as usize).copied()).collect()
}

impl Outcomes {
    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Classes(outcomes) => outcomes.actual.len(),
            Self::Numbers(outcomes) => outcomes.actual.len(),
            Self::Findings(outcomes) => outcomes.rows(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds the rows of others of the same kind and classes.
    pub fn append(&mut self, other: Self) {
        match (self, other) {
            (Self::Classes(own), Self::Classes(other)) => own.append(other),
            (Self::Numbers(own), Self::Numbers(mut other)) => {
                own.actual.append(&mut other.actual);
                own.predicted.append(&mut other.predicted);
                own.scales.append(&mut other.scales);
            }
            (Self::Findings(own), Self::Findings(other)) => own.append(other),
            (Self::Classes(_), Self::Numbers(_) | Self::Findings(_))
            | (Self::Numbers(_), Self::Classes(_) | Self::Findings(_))
            | (Self::Findings(_), Self::Classes(_) | Self::Numbers(_)) => {}
        }
    }

    /// Without what was measured of all rows together.
    #[must_use]
    pub fn without_totals(self) -> Self {
        match self {
            Self::Findings(outcomes) => {
                Self::Findings(FindingOutcomes { totals: Metrics::new(), explained: Vec::new(), ..outcomes })
            }
            Self::Classes(_) | Self::Numbers(_) => self,
        }
    }

    /// The rows with these numbers, in this order; a number may occur several times.
    #[must_use]
    pub fn select(&self, rows: &[u32]) -> Self {
        match self {
            Self::Classes(outcomes) => Self::Classes(outcomes.select(rows)),
            Self::Numbers(outcomes) => Self::Numbers(NumberOutcomes {
                quantile: outcomes.quantile,
                actual: picked(&outcomes.actual, rows),
                predicted: picked(&outcomes.predicted, rows),
                scales: picked(&outcomes.scales, rows),
            }),
            Self::Findings(outcomes) => Self::Findings(outcomes.select(rows)),
        }
    }
}
