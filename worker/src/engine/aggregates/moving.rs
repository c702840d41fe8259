//! Spreads of numbers over a window that moves. The engine takes what leaves a window away from its sum: once it has met a NaN or an infinity
//! the sum never recovers, and what is small is lost beside what was large.

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::Accumulator;
use datafusion::logical_expr::function::AccumulatorArgs;

use super::two_stacks::{OfWindow, Summary, Window};

/// What is said of the numbers of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Statistic {
    /// The variance, by one less than there are rows where it is of a sample.
    Variance { sample: bool },
    /// Its root.
    Deviation { sample: bool },
}

/// What computes a statistic of a window of numbers; `None` where it is of something else.
pub(super) fn moving(args: &AccumulatorArgs<'_>, statistic: Statistic) -> Option<Box<dyn Accumulator>> {
    let is_of_numbers = args.return_field.data_type() == &DataType::Float64
        && !args.is_distinct
        && args.expr_fields.first().is_some_and(|field| field.data_type().is_numeric());
    is_of_numbers.then(|| -> Box<dyn Accumulator> { Box::new(Window::new(statistic)) })
}

/// How many numbers there are, their mean, and the sum of their squared distances from it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moments {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn of(number: f64) -> Self {
        // A number that is not finite has no distance from itself.
        Self { count: 1, mean: number, squares: if number.is_finite() { 0.0 } else { f64::NAN } }
    }
}

impl Summary for Moments {
    /// Those of both: Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances" (1979).
    fn and(self, other: Self) -> Self {
        if self.count == 0 {
            return other;
        }
        if other.count == 0 {
            return self;
        }
        let count = self.count + other.count;
        let (own, more, all) = (self.count as f64, other.count as f64, count as f64);
        let distance = other.mean - self.mean;
        Self {
            count,
            mean: self.mean + distance * (more / all),
            squares: self.squares + other.squares + distance * distance * (own * more / all),
        }
    }
}

impl OfWindow for Statistic {
    type Row = Moments;

    fn rows(&self, values: &[ArrayRef]) -> Result<Vec<Moments>> {
        let Some(values) = values.first() else { return Ok(Vec::new()) };
        let numbers = cast(values, &DataType::Float64)?;
        let numbers = numbers.as_primitive::<Float64Type>().iter();
        Ok(numbers.map(|number| number.map_or_else(Moments::default, Moments::of)).collect())
    }

    fn answer(&self, all: Moments) -> ScalarValue {
        let Moments { count, squares, .. } = all;
        let variance = |sample: bool| {
            let by = count.checked_sub(u64::from(sample)).filter(|by| *by > 0);
            by.map(|by| squares / by as f64)
        };
        ScalarValue::Float64(match *self {
            Self::Variance { sample } => variance(sample),
            Self::Deviation { sample } => variance(sample).map(f64::sqrt),
        })
    }
}
