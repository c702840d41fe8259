//! How much memory the values of a function take whose arguments say how long they are.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::compute::kernels::length::length;
use datafusion::arrow::datatypes::{DataType, Float64Type, IntervalMonthDayNanoType, IntervalUnit, TimeUnit};
use datafusion::error::Result;

/// The bytes of a number, a time, or of what stands for a text.
const VALUE_BYTES: f64 = 8.0;

const DAY_SECONDS: f64 = 86_400.0;

/// The fewest days of a month: no step is taken for longer than it is.
const MONTH_DAYS: f64 = 28.0;

/// By what a value's length is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Maker {
    /// From a first value to a last one, by a step.
    Steps,
    /// As many copies of the first argument as the second says.
    Copies,
    /// As many characters or elements as the second argument says.
    Length,
}

impl Maker {
    /// About how many bytes the values of these arguments take, of all rows together.
    ///
    /// # Errors
    /// When an argument is no number, which the engine does not let through.
    pub(super) fn bytes(self, given: &[ArrayRef]) -> Result<usize> {
        let total = match (self, given) {
            (Self::Steps, given) => steps(given)? * VALUE_BYTES,
            (Self::Copies, [value, times, ..]) => {
                let one = value.get_array_memory_size() as f64 / value.len().max(1) as f64;
                let is_text =
                    matches!(value.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
                if is_text { copies_of_texts(value, times)? } else { sum(times)? * one }
            }
            (Self::Length, [value, length, ..]) => {
                let is_list = matches!(value.data_type(), DataType::List(_) | DataType::LargeList(_));
                sum(length)? * if is_list { VALUE_BYTES } else { 1.0 }
            }
            _ => 0.0,
        };
        // A cast of a number with a fraction saturates.
        Ok(total as usize)
    }
}

/// Numbers as they are, and dates and times in seconds.
fn numbers(array: &ArrayRef) -> Result<ArrayRef> {
    let seconds = match array.data_type() {
        DataType::Date32 => DAY_SECONDS,
        DataType::Timestamp(TimeUnit::Millisecond, _) => 1e-3,
        DataType::Timestamp(TimeUnit::Microsecond, _) => 1e-6,
        DataType::Timestamp(TimeUnit::Nanosecond, _) => 1e-9,
        _ => 1.0,
    };
    let is_time = array.data_type().is_temporal();
    let whole = if is_time { &cast(array, &DataType::Int64)? } else { array };
    let numbers = cast(whole, &DataType::Float64)?;
    Ok(Arc::new(numbers.as_primitive::<Float64Type>().unary::<_, Float64Type>(|number| number * seconds)))
}

fn sum(array: &ArrayRef) -> Result<f64> {
    Ok(numbers(array)?.as_primitive::<Float64Type>().iter().flatten().map(|number| number.max(0.0)).sum())
}

fn copies_of_texts(texts: &ArrayRef, times: &ArrayRef) -> Result<f64> {
    let lengths = length(&cast(texts, &DataType::LargeUtf8)?)?;
    let (lengths, times) = (numbers(&lengths)?, numbers(times)?);
    let pairs = lengths.as_primitive::<Float64Type>().iter().zip(times.as_primitive::<Float64Type>());
    Ok(pairs.map(|(length, times)| length.unwrap_or(0.0) * times.unwrap_or(0.0).max(0.0)).sum())
}

/// The steps of every row from its first value to its last.
fn steps(given: &[ArrayRef]) -> Result<f64> {
    let (first, last) = match given {
        [last] => (None, last),
        [first, last, ..] => (Some(numbers(first)?), last),
        [] => return Ok(0.0),
    };
    let last = numbers(last)?;
    let step = given.get(2).map(lengths_of_steps).transpose()?;
    let value = |array: Option<&ArrayRef>, row: usize, absent: f64| match array {
        Some(array) if array.is_valid(row) => array.as_primitive::<Float64Type>().value(row),
        _ => absent,
    };
    Ok((0..last.len())
        .map(|row| {
            let (first, last) = (value(first.as_ref(), row, 0.0), value(Some(&last), row, 0.0));
            let step = value(step.as_ref(), row, 1.0);
            // A step of nothing is the engine's to refuse, and one to the other side makes nothing.
            if step == 0.0 { 0.0 } else { ((last - first) / step).max(0.0) }
        })
        .sum())
}

/// Steps as numbers, and those of times in seconds.
fn lengths_of_steps(step: &ArrayRef) -> Result<ArrayRef> {
    if step.data_type() != &DataType::Interval(IntervalUnit::MonthDayNano) {
        return numbers(step);
    }
    let seconds = step.as_primitive::<IntervalMonthDayNanoType>().unary::<_, Float64Type>(|step| {
        let days = f64::from(step.months) * MONTH_DAYS + f64::from(step.days);
        days * DAY_SECONDS + step.nanoseconds as f64 / 1e9
    });
    Ok(Arc::new(seconds))
}
