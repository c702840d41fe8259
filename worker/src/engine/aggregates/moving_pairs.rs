//! What is said of two columns over a window that moves: the engine takes what leaves the window away from its sums, so that a NaN stays in them for
//! good and what is small is lost beside what was large.

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};

use super::two_stacks::{OfWindow, Summary};

/// What is said of two columns. Of a regression the first column is y and the second x.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Pairs {
    Correlation,
    /// By one less than there are pairs where it is of a sample.
    Covariance {
        sample: bool,
    },
    Slope,
    Intercept,
    Count,
    R2,
    AvgX,
    AvgY,
    Sxx,
    Syy,
    Sxy,
}

/// How many pairs there are, their means, and the sums of products of their distances from them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moments {
    count: u64,
    mean_y: f64,
    mean_x: f64,
    yy: f64,
    xx: f64,
    xy: f64,
}

impl Moments {
    fn of(y: f64, x: f64) -> Self {
        // A number that is not finite has no distance from itself.
        let square = |number: f64| if number.is_finite() { 0.0 } else { f64::NAN };
        Self { count: 1, mean_y: y, mean_x: x, yy: square(y), xx: square(x), xy: square(y) + square(x) }
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
        let (y, x) = (other.mean_y - self.mean_y, other.mean_x - self.mean_x);
        let weight = own * more / all;
        Self {
            count,
            mean_y: self.mean_y + y * (more / all),
            mean_x: self.mean_x + x * (more / all),
            yy: self.yy + other.yy + y * y * weight,
            xx: self.xx + other.xx + x * x * weight,
            xy: self.xy + other.xy + y * x * weight,
        }
    }
}

impl OfWindow for Pairs {
    type Row = Moments;

    fn rows(&self, values: &[ArrayRef]) -> Result<Vec<Moments>> {
        let [first, second] = values else {
            return Err(DataFusionError::Internal("two columns are needed".to_owned()));
        };
        let (first, second) = (cast(first, &DataType::Float64)?, cast(second, &DataType::Float64)?);
        let rows = first.as_primitive::<Float64Type>().iter().zip(second.as_primitive::<Float64Type>());
        let moments = |row| match row {
            (Some(y), Some(x)) => Moments::of(y, x),
            _ => Moments::default(),
        };
        Ok(rows.map(moments).collect())
    }

    /// What the engine says of a table with these moments.
    fn answer(&self, all: Moments) -> ScalarValue {
        let Moments { count, mean_y, mean_x, yy, xx, xy } = all;
        let is_any = count > 0;
        let is_line = count > 1 && xx != 0.0;
        let answer = match *self {
            Self::Count => return ScalarValue::UInt64(Some(count)),
            Self::Correlation if mean_y.is_nan() && mean_x.is_nan() => Some(f64::NAN),
            Self::Correlation => {
                let is_known = count > 1 && !mean_y.is_nan() && !mean_x.is_nan() && yy != 0.0 && xx != 0.0;
                is_known.then(|| xy / (yy.sqrt() * xx.sqrt()))
            }
            Self::Covariance { sample } => {
                let by = count.saturating_sub(u64::from(sample));
                (by > 0).then(|| xy / by as f64)
            }
            Self::Slope => is_line.then(|| xy / xx),
            Self::Intercept => is_line.then(|| mean_y - xy / xx * mean_x),
            Self::R2 => (is_line && yy != 0.0).then(|| (xy / xx) * (xy / yy)),
            Self::AvgX => is_any.then_some(mean_x),
            Self::AvgY => is_any.then_some(mean_y),
            Self::Sxx => is_any.then_some(xx),
            Self::Syy => is_any.then_some(yy),
            Self::Sxy => is_any.then_some(xy),
        };
        ScalarValue::Float64(answer)
    }
}
