//! What boosting lowers: the loss of a target, by its derivatives in each row's score.

use super::super::parallel::{over_items, over_shards};
use super::super::quantile::quantile;
use super::grow::Settle;
use super::histogram::Entry;
use crate::model::TreeOutput;

/// Rows that are worked on at once.
const CHUNK: usize = 1 << 14;

/// The target of each row, in the order of the rows to learn from.
pub(super) enum Loss {
    /// Half the squared error.
    Squared(Vec<f64>),
    /// The pinball loss of a quantile, twice that of the absolute error.
    Quantile(Vec<f64>, f64),
    /// The absolute error.
    Absolute(Vec<f64>),
    /// Half of the Poisson deviance, up to what does not depend on the score, which is the logarithm of the number.
    Poisson(Vec<f64>),
    /// The negative log-likelihood of two classes; the score is the log-odds of the second.
    Binary(Vec<u32>),
    /// The negative log-likelihood of more classes; each has a score.
    Multiclass(Vec<u32>, usize),
}

impl Loss {
    pub(super) fn output(&self) -> TreeOutput {
        match self {
            Self::Squared(_) | Self::Quantile(..) | Self::Absolute(_) => TreeOutput::SumOfNumbers,
            Self::Poisson(_) => TreeOutput::SumOfLogarithms,
            Self::Binary(_) => TreeOutput::SumOfLogOdds,
            Self::Multiclass(..) => TreeOutput::SumOfScores,
        }
    }

    /// The scores without any tree: the best that are the same for all rows.
    pub(super) fn start(&self) -> Vec<f64> {
        let counts = |classes: &[u32], count: usize| {
            let mut counts = vec![0.0_f64; count];
            for class in classes {
                if let Some(count) = counts.get_mut(*class as usize) {
                    *count += 1.0;
                }
            }
            counts
        };
        match self {
            Self::Squared(numbers) => {
                let count = numbers.len().max(1) as f64;
                let first = numbers.first().copied().unwrap_or(0.0);
                // Taken from the first number on, so that a mean of equal numbers is that number.
                vec![first + numbers.iter().map(|number| (number - first) / count).sum::<f64>()]
            }
            Self::Quantile(numbers, share) => vec![quantile(numbers.clone(), *share)],
            Self::Absolute(numbers) => vec![quantile(numbers.clone(), 0.5)],
            Self::Poisson(numbers) => {
                let mean = numbers.iter().sum::<f64>() / numbers.len().max(1) as f64;
                vec![mean.max(f64::MIN_POSITIVE).ln()]
            }
            Self::Binary(classes) => {
                let counts = counts(classes, 2);
                let log = |class: usize| counts.get(class).copied().unwrap_or(0.0).max(0.5).ln();
                vec![log(1) - log(0)]
            }
            Self::Multiclass(classes, count) => {
                let total = classes.len().max(1) as f64;
                counts(classes, *count).into_iter().map(|count| (count.max(0.5) / total).ln()).collect()
            }
        }
    }

    /// Fills in the derivatives for the tree of one class. `scores` has those of all classes as they were before the round;
    /// `shares` has, for more classes than two, the probabilities that [`Loss::shares`] made of them.
    pub(super) fn derive(&self, class: usize, scores: &[f64], shares: &[f32], entries: &mut [Entry]) {
        let chunks: Vec<_> = entries.chunks_mut(CHUNK).enumerate().collect();
        over_items(chunks, |(chunk, entries)| {
            let first = chunk * CHUNK;
            for (entry, row) in entries.iter_mut().zip(first..) {
                let (gradient, hessian) = match self {
                    Self::Squared(numbers) => {
                        let number = numbers.get(row).copied().unwrap_or(0.0);
                        ((scores.get(row).copied().unwrap_or(0.0) - number) as f32, 1.0)
                    }
                    Self::Quantile(numbers, share) => {
                        (if Self::is_above(numbers, scores, row) { 1.0 - share } else { -share } as f32, 1.0)
                    }
                    Self::Absolute(numbers) => {
                        (if Self::is_above(numbers, scores, row) { 1.0 } else { -1.0 }, 1.0)
                    }
                    Self::Poisson(numbers) => {
                        let expected = scores.get(row).copied().unwrap_or(0.0).exp();
                        ((expected - numbers.get(row).copied().unwrap_or(0.0)) as f32, expected as f32)
                    }
                    Self::Binary(classes) => {
                        let share = sigmoid(scores.get(row).copied().unwrap_or(0.0));
                        let truth = f64::from(u8::from(classes.get(row) == Some(&1)));
                        ((share - truth) as f32, (share * (1.0 - share)) as f32)
                    }
                    Self::Multiclass(classes, count) => {
                        let share = shares.get(row * count + class).copied().unwrap_or(0.0);
                        let truth =
                            f32::from(u8::from(classes.get(row).is_some_and(|c| *c as usize == class)));
                        (share - truth, share * (1.0 - share))
                    }
                };
                *entry = Entry { row: row as u32, gradient, hessian };
            }
        });
    }

    /// Each row's probabilities, for more classes than two; `scores` has one slice for each class.
    pub(super) fn shares(&self, scores: &[Vec<f64>], shares: &mut [f32]) {
        let Self::Multiclass(_, count) = self else { return };
        let chunks: Vec<_> = shares.chunks_mut(CHUNK * count).enumerate().collect();
        over_items(chunks, |(chunk, shares)| {
            let mut row_scores = vec![0.0; *count];
            for (shares, row) in shares.chunks_exact_mut(*count).zip(chunk * CHUNK..) {
                for (score, scores) in row_scores.iter_mut().zip(scores) {
                    *score = scores.get(row).copied().unwrap_or(0.0);
                }
                let largest = row_scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                row_scores.iter_mut().for_each(|score| *score = (*score - largest).exp());
                let sum: f64 = row_scores.iter().sum();
                shares.iter_mut().zip(&row_scores).for_each(|(share, score)| *share = (score / sum) as f32);
            }
        });
    }
}

impl Loss {
    /// Whether a row's score is above its number.
    fn is_above(numbers: &[f64], scores: &[f64], row: usize) -> bool {
        scores.get(row).copied().unwrap_or(0.0) > numbers.get(row).copied().unwrap_or(0.0)
    }

    /// The best step of a leaf's rows, where derivatives do not say it: they are the same however far a number is.
    pub(super) fn settle(&self) -> Option<Box<Settle<'_>>> {
        let (numbers, share) = match self {
            Self::Quantile(numbers, share) => (numbers, *share),
            Self::Absolute(numbers) => (numbers, 0.5),
            Self::Squared(_) | Self::Poisson(_) | Self::Binary(_) | Self::Multiclass(..) => return None,
        };
        Some(Box::new(move |entries, scores| {
            let left = |entry: &Entry| {
                let row = entry.row as usize;
                numbers.get(row).copied().unwrap_or(0.0) - scores.get(row).copied().unwrap_or(0.0)
            };
            quantile(entries.iter().map(left).collect(), share)
        }))
    }

    /// The mean loss at these scores, one slice for each class.
    pub(super) fn mean(&self, scores: &[Vec<f64>]) -> f64 {
        let (first, rows) = (scores.first(), self.rows());
        let score = |row: usize| first.and_then(|scores| scores.get(row)).copied().unwrap_or(0.0);
        let parts =
            over_shards(rows, |range| range.map(|row| self.of_row(row, score(row), scores)).sum::<f64>());
        parts.into_iter().sum::<f64>() / rows.max(1) as f64
    }

    fn rows(&self) -> usize {
        match self {
            Self::Squared(numbers)
            | Self::Quantile(numbers, _)
            | Self::Absolute(numbers)
            | Self::Poisson(numbers) => numbers.len(),
            Self::Binary(classes) | Self::Multiclass(classes, _) => classes.len(),
        }
    }

    /// The loss of one row at its only score, or at its score of each class.
    fn of_row(&self, row: usize, score: f64, scores: &[Vec<f64>]) -> f64 {
        match self {
            Self::Squared(numbers) => {
                let error = score - numbers.get(row).copied().unwrap_or(0.0);
                0.5 * error * error
            }
            Self::Quantile(numbers, share) => {
                let error = numbers.get(row).copied().unwrap_or(0.0) - score;
                if error >= 0.0 { share * error } else { (share - 1.0) * error }
            }
            Self::Absolute(numbers) => (numbers.get(row).copied().unwrap_or(0.0) - score).abs(),
            Self::Poisson(numbers) => score.exp() - numbers.get(row).copied().unwrap_or(0.0) * score,
            Self::Binary(classes) => {
                let is_second = classes.get(row) == Some(&1);
                let against = if is_second { -score } else { score };
                against.max(0.0) + (-score.abs()).exp().ln_1p()
            }
            Self::Multiclass(classes, _) => {
                let of = |class: usize| {
                    scores.get(class).and_then(|scores| scores.get(row)).copied().unwrap_or(0.0)
                };
                let largest = (0..scores.len()).map(of).fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = (0..scores.len()).map(|class| (of(class) - largest).exp()).sum();
                sum.ln() + largest - of(classes.get(row).map_or(0, |class| *class as usize))
            }
        }
    }
}

/// 1 / (1 + exp(-x)), without overflow.
fn sigmoid(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    let small = e / (1.0 + e);
    if x >= 0.0 { 1.0 - small } else { small }
}
