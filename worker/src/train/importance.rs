//! Which columns a model answers by: how far its metric falls when the values of one column are shuffled among the rows.
//!
//! Owns the shuffles and the bound of their work. Columns are those of the table, before preprocessing: a text column is one,
//! however many columns it becomes. It is scikit-learn's `permutation_importance`, with its five repeats; L. Breiman, "Random
//! Forests" (2001).

use mlpipeline_crds::Metric;
use ndarray::{Array1, Array2, ArrayView2};

use super::error::TrainError;
use super::parallel::over_items;
use super::samples::Samples;
use super::shuffle::Shuffler;
use super::task::Task;
use crate::evaluation::{ColumnImportance, Importance, NumberOutcomes, Outcomes};
use crate::model::{ModelError, Predictions, Predictor};
use crate::preprocess::Preprocessing;

/// How often each column is shuffled.
const REPEATS: usize = 5;

/// The most rows that are predicted for at once.
const MOST_ROWS: usize = 1000;

/// With fewer rows than this, of more that there are, what is found would be chance.
const FEWEST_ROWS: usize = 100;

/// The most rows that are predicted for in all.
const MOST_PREDICTIONS: usize = 100_000;

/// The most values of the model's columns that are looked at in all.
const MOST_VALUES: usize = 1 << 27;

/// The most numbers that the model itself looks at in all: a second of work or two.
const MOST_WORK: usize = 1 << 30;

/// How many rows are predicted for at once, and how often.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Work {
    rows: usize,
    repeats: usize,
}

impl Work {
    /// What is done for so many rows and columns of the table, columns of the model, and numbers that it looks at for a row; nothing
    /// where they are too many.
    fn bounded(rows: usize, columns: usize, width: usize, of_row: usize) -> Option<Self> {
        let of = |repeats: usize| {
            let shuffles = columns.saturating_mul(repeats).max(1);
            let by_values = MOST_VALUES / shuffles.saturating_mul(width).max(1);
            let by_work = MOST_WORK / shuffles.saturating_mul(of_row).max(1);
            let rows = rows.min(MOST_ROWS).min(MOST_PREDICTIONS / shuffles).min(by_values).min(by_work);
            Self { rows, repeats }
        };
        let is_enough = |work: &Self| work.rows > 0 && work.rows >= rows.min(FEWEST_ROWS);
        [of(REPEATS), of(1)].into_iter().find(is_enough)
    }
}

/// The importance of each column for these rows, the largest first; none where the columns are too many, or the metric is undefined.
///
/// # Errors
/// When the model has no answer for a row.
pub(super) fn importance(
    samples: &Samples,
    preprocessing: &Preprocessing,
    predictor: &Predictor,
    rows: &[u32],
    seed: i64,
) -> Result<Option<Importance>, TrainError> {
    // Without a target there is no metric that could fall.
    let Some(metric) = metric(&samples.task) else { return Ok(None) };
    let columns = samples.columns.len();
    let width = preprocessing.width();
    let of_row = predictor.work_of_row(width);
    let Some(work) = Work::bounded(rows.len(), columns, width, of_row) else { return Ok(None) };
    // Evenly spread rows stand for all.
    let step = rows.len().div_ceil(work.rows).max(1);
    let rows: Vec<u32> = rows.iter().copied().step_by(step).collect();
    let mut block = Array2::zeros((rows.len(), columns));
    for (mut place, row) in block.rows_mut().into_iter().zip(&rows) {
        place
            .iter_mut()
            .zip(samples.raw.row(*row as usize).iter())
            .for_each(|(place, value)| *place = *value);
    }
    let encoder = preprocessing.encoder(&samples.texts);
    let score = |block: ArrayView2<'_, f64>| -> Result<f64, ModelError> {
        let encoded = encoder.encode(block);
        let predictions = match samples.task {
            Task::Classify { .. } => predictor.classes(encoded.view())?,
            Task::Regress { .. } => Predictions::Numbers(predictor.numbers(encoded.view())?),
            Task::Find { .. } => predictor.findings(encoded.view())?,
        };
        Ok(score(&samples.task, &rows, &predictions))
    };
    let whole = score(block.view())?;
    if !whole.is_finite() {
        return Ok(None);
    }
    let falls = over_items((0..columns).collect(), |column| -> Result<Vec<f64>, ModelError> {
        let mut shuffled = block.clone();
        let repeat = |repeat: usize| {
            let mut values: Vec<f64> = block.column(column).to_vec();
            Shuffler::stream(seed, (column * work.repeats + repeat) as u64).shuffle(&mut values);
            shuffled.column_mut(column).assign(&Array1::from(values));
            Ok(whole - score(shuffled.view())?)
        };
        (0..work.repeats).map(repeat).collect()
    });
    let mut found = Vec::with_capacity(columns);
    for (column, falls) in samples.columns.iter().zip(falls) {
        found.push(ColumnImportance::of(column.name.clone(), &falls?));
    }
    // Columns that matter alike stay in the table's order.
    found.sort_by(|left, right| right.mean.total_cmp(&left.mean));
    Ok(Some(Importance {
        metric: metric.name(),
        rows: rows.len() as u64,
        repeats: work.repeats as u64,
        columns: found,
    }))
}

/// What falls: the score that scikit-learn's models of this kind have; none without a target.
fn metric(task: &Task) -> Option<Metric> {
    match task {
        Task::Classify { .. } => Some(Metric::Accuracy),
        Task::Regress { .. } => Some(Metric::R2),
        Task::Find { .. } => None,
    }
}

/// The metric of predictions for these rows; not a number where it is undefined.
fn score(task: &Task, rows: &[u32], predictions: &Predictions) -> f64 {
    match (task, predictions) {
        (Task::Classify { classes, .. }, Predictions::Classes { index, .. }) => {
            let class = |row: &u32| classes.get(*row as usize).map(|class| *class as usize);
            let right = rows.iter().zip(index).filter(|(row, index)| class(row) == Some(**index)).count();
            right as f64 / rows.len() as f64
        }
        (Task::Regress { numbers, .. }, Predictions::Numbers(predicted)) => {
            let mut outcomes = NumberOutcomes::default();
            for (row, predicted) in rows.iter().zip(predicted) {
                outcomes.push(numbers.get(*row as usize).copied().unwrap_or_default(), *predicted);
            }
            let metrics = Outcomes::Numbers(outcomes).metrics_where(|metric| metric == Metric::R2);
            metrics.get(Metric::R2.name()).copied().unwrap_or(f64::NAN)
        }
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_is_bounded_whatever_the_table() {
        assert_eq!(Work::bounded(30, 4, 4, 4), Some(Work { rows: 30, repeats: 5 }));
        assert_eq!(Work::bounded(200_000, 20, 20, 20), Some(Work { rows: 1000, repeats: 5 }));
        // Wide tables have fewer rows, then fewer repeats, then none.
        assert_eq!(Work::bounded(200_000, 100, 100, 100), Some(Work { rows: 200, repeats: 5 }));
        assert_eq!(Work::bounded(200_000, 784, 784, 784), Some(Work { rows: 127, repeats: 1 }));
        assert_eq!(Work::bounded(200_000, 4096, 4096, 4096), None);
        assert_eq!(Work::bounded(0, 4, 4, 4), None);
        // So have models that look at many numbers for a row: forests, and all the more the nearest of many rows.
        assert_eq!(Work::bounded(200_000, 20, 20, 32_000), Some(Work { rows: 335, repeats: 5 }));
        assert_eq!(Work::bounded(4_000, 20, 20, 320_000), Some(Work { rows: 167, repeats: 1 }));
        assert_eq!(Work::bounded(200_000, 20, 20, 20_000_000), None);
    }
}
