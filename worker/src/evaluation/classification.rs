//! Metrics of classifiers, as scikit-learn defines them.

use mlpipeline_crds::Metric;

use super::calibration::{BINS, bins};
use super::outcomes::ClassOutcomes;
use super::ranking::Ranks;

/// How many rows each class has and was predicted for.
///
/// One more than the classes: the last counts predictions of classes that the rows do not know.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    right: Vec<u64>,
    actual: Vec<u64>,
    predicted: Vec<u64>,
}

/// How well one class is separated from the others. A share of nothing is 0, as with scikit-learn's `zero_division`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ClassScore {
    /// The share of the rows predicted as this class that are of it.
    pub(super) precision: f64,
    /// The share of this class's rows that were predicted as it.
    pub(super) recall: f64,
    /// The harmonic mean of both.
    pub(super) f1: f64,
    /// How many rows are of this class.
    pub(super) rows: u64,
    /// How many rows were predicted as this class.
    pub(super) predicted: u64,
}

impl Counts {
    pub(super) fn of(outcomes: &ClassOutcomes) -> Self {
        let none = || vec![0_u64; outcomes.classes() + 1];
        let mut counts = Self { right: none(), actual: none(), predicted: none() };
        for (actual, predicted) in outcomes.actual.iter().zip(&outcomes.predicted) {
            bump(&mut counts.actual, *actual);
            bump(&mut counts.predicted, *predicted);
            if actual == predicted {
                bump(&mut counts.right, *actual);
            }
        }
        counts
    }

    /// The scores of each class; the last is of the classes that the rows do not know.
    pub(super) fn scores(&self) -> impl Iterator<Item = ClassScore> + '_ {
        let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        self.right.iter().zip(&self.actual).zip(&self.predicted).map(move |((right, actual), predicted)| {
            ClassScore {
                precision: share(*right, *predicted),
                recall: share(*right, *actual),
                f1: share(2 * right, actual + predicted),
                rows: *actual,
                predicted: *predicted,
            }
        })
    }

    /// The mean over the classes that occur, in the rows or among the predictions.
    fn macro_mean(&self, of: impl Fn(&ClassScore) -> f64) -> f64 {
        let occurring = self.scores().filter(|class| class.rows + class.predicted > 0);
        mean(occurring.map(|class| of(&class)))
    }

    /// The mean over the rows of their class's score.
    fn weighted_mean(&self, of: impl Fn(&ClassScore) -> f64) -> f64 {
        let total = self.actual.iter().sum::<u64>() as f64;
        self.scores().map(|class| of(&class) * class.rows as f64).sum::<f64>() / total
    }
}

fn bump(counts: &mut [u64], at: u32) {
    if let Some(count) = counts.get_mut(at as usize) {
        *count += 1;
    }
}

/// The mean; not a number where there is nothing.
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        sum += value;
        count += 1.0;
    }
    sum / count
}

/// One metric; not a number where it is undefined.
pub(super) fn class_metric(metric: Metric, outcomes: &ClassOutcomes, counts: &Counts, ranks: &Ranks) -> f64 {
    match metric {
        Metric::Accuracy => counts.right.iter().sum::<u64>() as f64 / outcomes.actual.len() as f64,
        Metric::BalancedAccuracy => {
            mean(counts.scores().filter(|class| class.rows > 0).map(|class| class.recall))
        }
        Metric::F1Macro => counts.macro_mean(|class| class.f1),
        Metric::F1Weighted => counts.weighted_mean(|class| class.f1),
        Metric::PrecisionMacro => counts.macro_mean(|class| class.precision),
        Metric::PrecisionWeighted => counts.weighted_mean(|class| class.precision),
        Metric::RecallMacro => counts.macro_mean(|class| class.recall),
        Metric::RecallWeighted => counts.weighted_mean(|class| class.recall),
        Metric::RocAuc => ranks.mean(|class| class.roc_auc),
        Metric::AveragePrecision => ranks.mean(|class| class.average_precision),
        Metric::LogLoss => {
            // As scikit-learn does, certainty that proved wrong costs much, but not infinitely much.
            let surprise = |right: &f64| -right.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln();
            mean(outcomes.right.iter().map(surprise))
        }
        Metric::BrierScore => {
            let scale = if outcomes.classes() == 2 { 0.5 } else { 1.0 };
            scale * mean(outcomes.squares.iter().copied())
        }
        Metric::CalibrationError => calibration_error(outcomes),
        Metric::R2
        | Metric::Rmse
        | Metric::Mae
        | Metric::MedianAbsoluteError
        | Metric::Mape
        | Metric::Mase
        | Metric::Pinball => f64::NAN,
        Metric::Silhouette | Metric::Inertia | Metric::OutlierShare | Metric::ExplainedVariance => f64::NAN,
    }
}

/// The expected calibration error of C. Guo et al., "On Calibration of Modern Neural Networks" (2017).
fn calibration_error(outcomes: &ClassOutcomes) -> f64 {
    let is_right =
        outcomes.actual.iter().zip(&outcomes.predicted).map(|(actual, predicted)| actual == predicted);
    let pairs = outcomes.confidence.iter().copied().zip(is_right);
    let total = outcomes.actual.len() as f64;
    let distances =
        bins(pairs, BINS).into_iter().map(|bin| (bin.predicted - bin.share).abs() * bin.rows as f64);
    if total == 0.0 { f64::NAN } else { distances.sum::<f64>() / total }
}
