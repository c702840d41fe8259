//! What a model predicts for rows, beside what is true of them.
//!
//! Owns predicting for many rows on many threads. What becomes of the outcomes is `evaluation`'s.

use ndarray::{Array2, ArrayView2};

use super::error::TrainError;
use super::matrix::{BLOCK_ROWS, Rows, blocks, top};
use super::parallel::over_shards;
use crate::evaluation::{ClassOutcomes, NumberOutcomes, Outcomes};
use crate::model::{ModelError, Predictions};

/// Predicts for a block of rows.
pub(super) type Predict<'a> = dyn Fn(ArrayView2<'_, f64>) -> Result<Predictions, ModelError> + Sync + 'a;

/// What a classifier predicts. `classes` has the class of each row of the matrix, below `count`.
pub(super) fn measure_classes(
    rows: &Rows<'_>,
    classes: &[u32],
    count: usize,
    predict: &Predict<'_>,
) -> Result<Outcomes, TrainError> {
    let parts = over_blocks(
        rows,
        predict,
        |of_part| ClassOutcomes::new(count, rows.len()).with_room(of_part),
        |part, row, number, predictions| {
            if let Predictions::Classes { index, probabilities } = predictions {
                let class = classes.get(number).map_or(count, |class| *class as usize);
                let predicted = index.get(row).copied().unwrap_or(count);
                part.push(class, predicted, probabilities.row(row));
            }
        },
    )?;
    let empty = ClassOutcomes::new(count, rows.len()).with_room(rows.len());
    Ok(joined(Outcomes::Classes(empty), parts.into_iter().map(Outcomes::Classes)))
}

/// What a regression predicts. `numbers` has the target of each row of the matrix.
pub(super) fn measure_numbers(
    rows: &Rows<'_>,
    numbers: &[f64],
    quantile: Option<f64>,
    predict: &Predict<'_>,
) -> Result<Outcomes, TrainError> {
    let parts = over_blocks(
        rows,
        predict,
        |of_part| NumberOutcomes::of_quantile(quantile).with_room(of_part),
        |part, row, number, predictions| {
            if let Predictions::Numbers(predicted) = predictions {
                let actual = numbers.get(number).copied().unwrap_or_default();
                part.push(actual, predicted.get(row).copied().unwrap_or_default());
            }
        },
    )?;
    Ok(joined(
        Outcomes::Numbers(NumberOutcomes::of_quantile(quantile).with_room(rows.len())),
        parts.into_iter().map(Outcomes::Numbers),
    ))
}

/// All rows in their order.
fn joined(mut all: Outcomes, parts: impl Iterator<Item = Outcomes>) -> Outcomes {
    parts.for_each(|part| all.append(part));
    all
}

/// Predicts for all rows, block by block on many threads, and gathers one value a shard. `empty` is asked for one to
/// which so many rows are added.
pub(super) fn over_blocks<T: Send>(
    rows: &Rows<'_>,
    predict: &Predict<'_>,
    empty: impl Fn(usize) -> T + Sync,
    add: impl Fn(&mut T, usize, usize, &Predictions) + Sync,
) -> Result<Vec<T>, TrainError> {
    let parts = over_shards(rows.len(), |range| {
        let mut part = empty(range.len());
        let mut block = Array2::zeros((BLOCK_ROWS, rows.width()));
        for range in blocks(range) {
            let mut block = top(&mut block, range.len());
            for ((_, row), mut place) in rows.range(range.clone()).zip(block.rows_mut()) {
                place.iter_mut().zip(row.iter()).for_each(|(place, value)| *place = *value);
            }
            let predictions = predict(block.view())?;
            for (row, number) in rows.numbers().get(range).unwrap_or_default().iter().enumerate() {
                add(&mut part, row, *number as usize, &predictions);
            }
        }
        Ok(part)
    });
    rows.check()?;
    parts.into_iter().collect()
}
