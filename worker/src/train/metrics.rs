//! Measuring a model on rows, with scikit-learn's definitions.

use std::collections::BTreeMap;

use mlpipeline_crds::Metric;
use ndarray::{Array2, ArrayView2};

use super::error::TrainError;
use super::matrix::{BLOCK_ROWS, Rows, blocks, top};
use super::parallel::over_shards;
use crate::model::{ModelError, Predictions};

/// Metrics by name.
pub type Metrics = BTreeMap<String, f64>;

/// Predicts for a block of rows.
pub(super) type Predict<'a> = dyn Fn(ArrayView2<'_, f64>) -> Result<Predictions, ModelError> + Sync + 'a;

/// What classes were predicted: counts by class.
struct ClassCounts {
    right: Vec<u64>,
    actual: Vec<u64>,
    predicted: Vec<u64>,
    loss: f64,
}

impl ClassCounts {
    /// One more than the classes: the last counts predictions of classes that the rows do not know.
    fn new(classes: usize) -> Self {
        let none = || vec![0; classes + 1];
        Self { right: none(), actual: none(), predicted: none(), loss: 0.0 }
    }

    fn add(&mut self, class: usize, predicted: usize, probability: f64) {
        let unknown = self.actual.len().saturating_sub(1);
        bump(&mut self.actual, class);
        bump(&mut self.predicted, predicted.min(unknown));
        if class == predicted {
            bump(&mut self.right, class);
        }
        // As scikit-learn does, certainty that proved wrong costs much, but not infinitely much.
        self.loss -= probability.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln();
    }

    fn merge(&mut self, other: &Self) {
        let pairs = [
            (&mut self.right, &other.right),
            (&mut self.actual, &other.actual),
            (&mut self.predicted, &other.predicted),
        ];
        for (own, other) in pairs {
            own.iter_mut().zip(other).for_each(|(own, other)| *own += other);
        }
        self.loss += other.loss;
    }

    fn metrics(&self) -> Metrics {
        let total = self.actual.iter().sum::<u64>() as f64;
        let (mut recall, mut recalled, mut f1, mut scored) = (0.0, 0.0, 0.0, 0.0);
        for ((right, actual), predicted) in self.right.iter().zip(&self.actual).zip(&self.predicted) {
            let (right, actual, predicted) = (*right as f64, *actual as f64, *predicted as f64);
            if actual > 0.0 {
                recall += right / actual;
                recalled += 1.0;
            }
            if actual + predicted > 0.0 {
                f1 += 2.0 * right / (actual + predicted);
                scored += 1.0;
            }
        }
        named([
            (Metric::Accuracy, self.right.iter().sum::<u64>() as f64 / total),
            (Metric::BalancedAccuracy, recall / recalled),
            (Metric::F1Macro, f1 / scored),
            (Metric::LogLoss, self.loss / total),
        ])
    }
}

fn bump(counts: &mut [u64], at: usize) {
    if let Some(count) = counts.get_mut(at) {
        *count += 1;
    }
}

/// Metrics by their names; those that are undefined (no rows, no spread) are left out.
fn named<const N: usize>(values: [(Metric, f64); N]) -> Metrics {
    let finite = values.into_iter().filter(|(_, value)| value.is_finite());
    finite.map(|(metric, value)| (metric.name().to_owned(), value)).collect()
}

/// Measures a classifier. `classes` has the class of each row of the matrix, below `count`.
pub(super) fn measure_classes(
    rows: &Rows<'_>,
    classes: &[u32],
    count: usize,
    predict: &Predict<'_>,
) -> Result<Metrics, TrainError> {
    let parts = over_blocks(
        rows,
        predict,
        || ClassCounts::new(count),
        |part, row, number, predictions| {
            if let Predictions::Classes { index, probabilities } = predictions {
                let class = classes.get(number).map_or(count, |class| *class as usize);
                let probability = probabilities.get((row, class)).copied().unwrap_or_default();
                part.add(class, index.get(row).copied().unwrap_or(count), probability);
            }
        },
    )?;
    let mut total = ClassCounts::new(count);
    parts.iter().for_each(|part| total.merge(part));
    Ok(total.metrics())
}

/// Measures a regression. `numbers` has the target of each row of the matrix.
pub(super) fn measure_numbers(
    rows: &Rows<'_>,
    numbers: &[f64],
    predict: &Predict<'_>,
) -> Result<Metrics, TrainError> {
    let count = rows.len() as f64;
    let target = |number: usize| numbers.get(number).copied().unwrap_or_default();
    let mean = rows.numbers().iter().map(|row| target(*row as usize)).sum::<f64>() / count;
    let parts = over_blocks(
        rows,
        predict,
        || [0.0; 3],
        |[squares, absolute, spread], row, number, predictions| {
            if let Predictions::Numbers(predicted) = predictions {
                let error = target(number) - predicted.get(row).copied().unwrap_or_default();
                *squares += error * error;
                *absolute += error.abs();
                *spread += (target(number) - mean).powi(2);
            }
        },
    )?;
    let [squares, absolute, spread] =
        parts.iter().fold([0.0; 3], |[a, b, c], [x, y, z]| [a + x, b + y, c + z]);
    // Of a constant target no share of the spread can be explained: there is none.
    let r2 = if spread > 0.0 { 1.0 - squares / spread } else { f64::NAN };
    Ok(named([(Metric::R2, r2), (Metric::Rmse, (squares / count).sqrt()), (Metric::Mae, absolute / count)]))
}

/// Predicts for all rows, block by block on many threads, and gathers one value a shard.
fn over_blocks<T: Send>(
    rows: &Rows<'_>,
    predict: &Predict<'_>,
    empty: impl Fn() -> T + Sync,
    add: impl Fn(&mut T, usize, usize, &Predictions) + Sync,
) -> Result<Vec<T>, TrainError> {
    let parts = over_shards(rows.len(), |range| {
        let mut part = empty();
        let mut block = Array2::zeros((BLOCK_ROWS, rows.width()));
        for range in blocks(range) {
            let mut block = top(&mut block, range.len());
            for ((_, row), mut place) in rows.range(range.clone()).zip(block.rows_mut()) {
                place.iter_mut().zip(row).for_each(|(place, value)| *place = *value);
            }
            let predictions = predict(block.view())?;
            for (row, (number, _)) in rows.range(range).enumerate() {
                add(&mut part, row, number, &predictions);
            }
        }
        Ok(part)
    });
    parts.into_iter().collect()
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
