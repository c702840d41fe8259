//! Sums and means of doubles of a table, and of a window, each the same however its rows are divided among partitions.
//!
//! Owns what is known of some rows, and how partitions hand it on. The arithmetic is that of `compensated`; groups are in `group_totals`.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, UInt64Array};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type, UInt64Type};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::Accumulator;
use datafusion::logical_expr::utils::format_state_name;

use super::compensated::Compensated;
use super::distinct::{self, Distinct};
use super::two_stacks::{OfWindow, Summary, Window};

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    Sum,
    Mean,
}

impl Answer {
    /// None where there is no number.
    pub(super) fn of(self, total: Total) -> Option<f64> {
        let sum = total.sum.sum();
        (total.count > 0).then(|| match self {
            Self::Sum => sum,
            Self::Mean => sum / total.count as f64,
        })
    }
}

/// The sum of some numbers, and how many there are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Total {
    sum: Compensated,
    count: u64,
}

impl Total {
    pub(super) fn add(&mut self, number: f64) {
        self.sum = self.sum.with(number);
        self.count += 1;
    }
}

impl Summary for Total {
    fn and(self, other: Self) -> Self {
        Self { sum: self.sum.and(other.sum), count: self.count + other.count }
    }
}

/// What partitions hand on.
pub(super) fn state_fields(name: &str, is_distinct: bool) -> Vec<FieldRef> {
    if is_distinct {
        return distinct::state_fields(name, &DataType::Float64);
    }
    let fields = [("sum", DataType::Float64), ("rest", DataType::Float64), ("count", DataType::UInt64)];
    fields.map(|(part, found)| FieldRef::new(Field::new(format_state_name(name, part), found, true))).into()
}

/// The columns of these fields, a row for each total.
pub(super) fn state_columns(totals: &[Total]) -> Vec<ArrayRef> {
    let sums = Float64Array::from_iter_values(totals.iter().map(|total| total.sum.sum()));
    let rests = Float64Array::from_iter_values(totals.iter().map(|total| total.sum.rest()));
    let counts = UInt64Array::from_iter_values(totals.iter().map(|total| total.count));
    vec![Arc::new(sums), Arc::new(rests), Arc::new(counts)]
}

/// The totals that these columns hold.
pub(super) fn totals_of(states: &[ArrayRef]) -> Result<impl Iterator<Item = Total>> {
    let [sums, rests, counts] = states else {
        return Err(DataFusionError::Internal("a sum, its rest and a count are expected".to_owned()));
    };
    let sums = sums.as_primitive::<Float64Type>().values().iter();
    let rests = rests.as_primitive::<Float64Type>().values().iter();
    let counts = counts.as_primitive::<UInt64Type>().values().iter();
    let rows = sums.zip(rests).zip(counts);
    Ok(rows.map(|((sum, rest), count)| Total { sum: Compensated::new(*sum, *rest), count: *count }))
}

/// The doubles of the only column.
pub(super) fn doubles(values: &[ArrayRef]) -> Result<&Float64Array> {
    let values = values.first().ok_or_else(|| DataFusionError::Internal("no values".to_owned()))?;
    Ok(values.as_primitive::<Float64Type>())
}

/// What answers for all rows, or for all numbers that differ.
pub(super) fn of_all(answer: Answer, is_distinct: bool) -> Box<dyn Accumulator> {
    let total = Box::new(OfAll { answer, total: Total::default() });
    if is_distinct { Box::new(Distinct::new(total, DataType::Float64)) } else { total }
}

/// What answers for a window that moves.
pub(super) fn moving(answer: Answer) -> Box<dyn Accumulator> {
    Box::new(Window::new(answer))
}

impl OfWindow for Answer {
    type Row = Total;

    fn rows(&self, values: &[ArrayRef]) -> Result<Vec<Total>> {
        let row = |number: Option<f64>| {
            let mut total = Total::default();
            if let Some(number) = number {
                total.add(number);
            }
            total
        };
        Ok(doubles(values)?.iter().map(row).collect())
    }

    fn answer(&self, all: Total) -> ScalarValue {
        ScalarValue::Float64(self.of(all))
    }
}

/// The answer for all rows.
#[derive(Debug)]
struct OfAll {
    answer: Answer,
    total: Total,
}

impl Accumulator for OfAll {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let numbers = doubles(values)?;
        // It stays in registers.
        let mut total = self.total;
        if numbers.null_count() == 0 {
            numbers.values().iter().for_each(|number| total.add(*number));
        } else {
            numbers.iter().flatten().for_each(|number| total.add(number));
        }
        self.total = total;
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(self.answer.of(self.total)))
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let Total { sum, count } = self.total;
        Ok(vec![
            ScalarValue::Float64(Some(sum.sum())),
            ScalarValue::Float64(Some(sum.rest())),
            ScalarValue::UInt64(Some(count)),
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.total = totals_of(states)?.fold(self.total, Total::and);
        Ok(())
    }
}
