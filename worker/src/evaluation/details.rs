//! What is behind the metrics: each class, the mistakes, and the curves; the errors of a regression; or how often what was found.
//!
//! Owns the bounds: with many classes or rows, the most frequent or evenly spread ones stand for all.

use serde::Serialize;

use super::calibration::{BINS, CalibrationBin, bins};
use super::classification::Counts;
use super::outcomes::{ClassOutcomes, NumberOutcomes, Outcomes};
use super::ranking::RankCurve;
use super::thinning::thinned;

/// With more classes than this, the most frequent mistakes stand in for the confusion matrix.
const MATRIX_CLASSES: usize = 50;

/// How many mistakes there are then.
const MOST_MISTAKES: usize = 200;

/// With more classes than this, only those with most rows have curves.
const CURVE_CLASSES: usize = 10;

/// The most rows of a regression whose errors are listed.
const MOST_RESIDUALS: usize = 500;

/// What is behind the metrics.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Details {
    /// Of a classifier.
    Classes(ClassDetails),
    /// Of a regression.
    Numbers(NumberDetails),
    /// Without a target.
    Findings(FindingDetails),
}

/// What was found in the rows measured.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FindingDetails {
    /// How many rows have each answer.
    pub answers: Vec<AnswerRows>,
    /// How many rows the metrics that are means over rows are of.
    pub measured_rows: u64,
    /// The share of the variance that each component keeps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub explained_variance: Vec<f64>,
}

/// How many rows have one answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AnswerRows {
    /// The answer.
    pub answer: String,
    /// How many rows.
    pub rows: u64,
}

/// What is behind the metrics of a classifier.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClassDetails {
    /// Each class.
    pub classes: Vec<ClassRow>,
    /// Which classes were predicted for which.
    pub confusion: Confusion,
    /// The curves of each class against the rest; of two classes, those of the second.
    pub curves: Vec<Curves>,
}

/// How well one class is separated from the others.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClassRow {
    /// The class.
    pub label: String,
    /// How many rows are of it.
    pub rows: u64,
    /// How many rows were predicted to be of it.
    pub predicted: u64,
    /// The share of the rows predicted as this class that are of it.
    pub precision: f64,
    /// The share of this class's rows that were predicted as it.
    pub recall: f64,
    /// The harmonic mean of both.
    pub f1: f64,
}

/// Which classes were predicted for which.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Confusion {
    /// One row for each class, with how often each class was predicted for it.
    Matrix(Vec<Vec<u64>>),
    /// The most frequent mistakes, the most frequent first.
    Mistakes(Vec<Mistake>),
}

/// A class that was taken for another.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mistake {
    /// The right class.
    pub actual: String,
    /// The predicted one.
    pub predicted: String,
    /// In how many rows.
    pub rows: u64,
}

/// A class's curves, of at most 200 points each.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Curves {
    /// The class.
    pub label: String,
    /// The area under the ROC curve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roc_auc: Option<f64>,
    /// Average precision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average_precision: Option<f64>,
    /// False positive rate and true positive rate.
    pub roc: Vec<(f64, f64)>,
    /// Recall and precision.
    pub precision_recall: Vec<(f64, f64)>,
    /// Probabilities beside how often they were right.
    pub calibration: Vec<CalibrationBin>,
}

/// What is behind the metrics of a regression.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NumberDetails {
    /// Predicted numbers, each with the right one: of at most 500 evenly spread rows.
    pub predictions: Vec<(f64, f64)>,
}

impl Details {
    /// What is behind the metrics of these outcomes; `labels` names their classes or answers.
    #[must_use]
    pub fn of(outcomes: &Outcomes, labels: &[String]) -> Self {
        match outcomes {
            Outcomes::Classes(outcomes) => Self::Classes(class_details(outcomes, labels)),
            Outcomes::Numbers(outcomes) => Self::Numbers(number_details(outcomes)),
            Outcomes::Findings(outcomes) => {
                let named = labels.iter().zip(&outcomes.answers);
                let answers = named.map(|(answer, rows)| AnswerRows { answer: answer.clone(), rows: *rows });
                Self::Findings(FindingDetails {
                    answers: answers.collect(),
                    measured_rows: outcomes.rows() as u64,
                    explained_variance: outcomes.explained.clone(),
                })
            }
        }
    }
}

fn class_details(outcomes: &ClassOutcomes, labels: &[String]) -> ClassDetails {
    let counts = Counts::of(outcomes);
    let scores = labels.iter().zip(counts.scores());
    let classes: Vec<ClassRow> = scores
        .map(|(label, score)| ClassRow {
            label: label.clone(),
            rows: score.rows,
            predicted: score.predicted,
            precision: score.precision,
            recall: score.recall,
            f1: score.f1,
        })
        .collect();
    let mut drawn: Vec<usize> = (usize::from(labels.len() == 2)..labels.len()).collect();
    drawn.sort_by_key(|class| std::cmp::Reverse(classes.get(*class).map_or(0, |class| class.rows)));
    drawn.truncate(CURVE_CLASSES);
    drawn.sort_unstable();
    let curves = drawn.into_iter().filter_map(|class| curves(outcomes, class, labels.get(class)?));
    ClassDetails { confusion: confusion(outcomes, labels), curves: curves.collect(), classes }
}

fn confusion(outcomes: &ClassOutcomes, labels: &[String]) -> Confusion {
    let pairs = outcomes.actual.iter().zip(&outcomes.predicted);
    if labels.len() <= MATRIX_CLASSES {
        let mut matrix = vec![vec![0; labels.len()]; labels.len()];
        for (actual, predicted) in pairs {
            let cell = matrix.get_mut(*actual as usize).and_then(|row| row.get_mut(*predicted as usize));
            if let Some(cell) = cell {
                *cell += 1;
            }
        }
        return Confusion::Matrix(matrix);
    }
    let mut counts = std::collections::BTreeMap::<(u32, u32), u64>::new();
    for (actual, predicted) in pairs.filter(|(actual, predicted)| actual != predicted) {
        *counts.entry((*actual, *predicted)).or_default() += 1;
    }
    let mut mistakes: Vec<_> = counts.into_iter().collect();
    mistakes.sort_by_key(|(classes, rows)| (std::cmp::Reverse(*rows), *classes));
    let label = |class: u32| labels.get(class as usize).cloned().unwrap_or_default();
    let named = mistakes.into_iter().take(MOST_MISTAKES).map(|((actual, predicted), rows)| Mistake {
        actual: label(actual),
        predicted: label(predicted),
        rows,
    });
    Confusion::Mistakes(named.collect())
}

fn curves(outcomes: &ClassOutcomes, class: usize, label: &str) -> Option<Curves> {
    let scores = outcomes.scores_of(class)?;
    let calibration = bins(scores.iter().copied(), BINS);
    let curve = RankCurve::of(scores);
    let areas = curve.areas();
    let roc = curve.roc().map(|points| thinned(points, |(x, y)| x + y, 2.0));
    let precision_recall = curve.precision_recall().map(|points| thinned(points, |(recall, _)| recall, 1.0));
    Some(Curves {
        label: label.to_owned(),
        roc_auc: areas.roc_auc,
        average_precision: areas.average_precision,
        roc: roc.unwrap_or_default(),
        precision_recall: precision_recall.unwrap_or_default(),
        calibration,
    })
}

fn number_details(outcomes: &NumberOutcomes) -> NumberDetails {
    let step = outcomes.actual.len().div_ceil(MOST_RESIDUALS).max(1);
    let rows = outcomes.rows().step_by(step).map(|(actual, predicted)| (predicted, actual));
    NumberDetails { predictions: rows.collect() }
}
