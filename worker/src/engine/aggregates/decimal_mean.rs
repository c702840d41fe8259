//! The mean of whole numbers and decimals with all its digits: their exact sum, divided as a number. The engine makes doubles of whole numbers
//! first, and cuts the mean of decimals after four digits more than theirs.
//!
//! Owns that of a table and of a window; that of groups is in `group_means`.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Decimal128Array, UInt64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, DecimalType, Field, FieldRef, UInt64Type,
};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::Accumulator;
use datafusion::logical_expr::utils::format_state_name;

use super::distinct::{self, Distinct};

/// The digits behind the point of numbers whose sum is kept here; `None` of other types.
pub(super) fn scale(found: &DataType) -> Option<i8> {
    match found {
        DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale) => {
            Some(*scale)
        }
        whole if whole.is_integer() => Some(0),
        _ => None,
    }
}

/// What is known of some of the rows: their sum, and how many there are; of values that differ, the values.
pub(super) fn state_fields(name: &str, scale: i8, is_distinct: bool) -> Vec<FieldRef> {
    if is_distinct {
        return distinct::state_fields(name, &wide(scale));
    }
    let fields = [("sum", wide(scale)), ("count", DataType::UInt64)];
    fields.map(|(part, found)| FieldRef::new(Field::new(format_state_name(name, part), found, true))).into()
}

/// The mean of all rows, or of all values that differ.
pub(super) fn of_all(scale: i8, is_distinct: bool) -> Box<dyn Accumulator> {
    let mean = Box::new(DecimalMean { scale, total: UnitTotal::default() });
    if is_distinct { Box::new(Distinct::new(mean, wide(scale))) } else { mean }
}

fn wide(scale: i8) -> DataType {
    DataType::Decimal128(DECIMAL128_MAX_PRECISION, scale)
}

/// The values of the first column in units of their last digit.
pub(super) fn units(values: &[ArrayRef], scale: i8) -> Result<Decimal128Array> {
    let values = values.first().ok_or_else(no_values)?;
    let wide = cast(values, &wide(scale))?;
    Ok(wide.as_primitive::<Decimal128Type>().clone())
}

fn no_values() -> DataFusionError {
    DataFusionError::Internal("no values".to_owned())
}

/// The sum of some numbers, in units of their last digit, and how many there are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct UnitTotal {
    sum: i128,
    count: u64,
}

impl UnitTotal {
    pub(super) fn of(units: Option<i128>) -> Self {
        Self { sum: units.unwrap_or_default(), count: u64::from(units.is_some()) }
    }

    /// With these as well.
    pub(super) fn add(&mut self, more: Self) -> Result<()> {
        self.sum = self.sum.checked_add(more.sum).ok_or_else(|| {
            DataFusionError::Execution(
                "the sum of a mean is too large for a decimal; write avg(CAST(x AS DOUBLE))".to_owned(),
            )
        })?;
        self.count += more.count;
        Ok(())
    }

    /// None where there is no number.
    pub(super) fn mean(self, scale: i8) -> Result<Option<f64>> {
        if self.count == 0 {
            return Ok(None);
        }
        if scale == 0 {
            return Ok(Some(self.sum as f64 / self.count as f64));
        }
        // Its text is the sum itself, of which the nearest number is read.
        let sum = Decimal128Type::format_decimal(self.sum, DECIMAL128_MAX_PRECISION, scale);
        let sum: f64 =
            sum.parse().map_err(|_| DataFusionError::Internal(format!("{sum} is not a number")))?;
        Ok(Some(sum / self.count as f64))
    }
}

/// The columns that partitions hand on, a row for each total.
pub(super) fn state_columns(totals: &[UnitTotal], scale: i8) -> Vec<ArrayRef> {
    let sums = Decimal128Array::from_iter_values(totals.iter().map(|total| total.sum));
    let counts = UInt64Array::from_iter_values(totals.iter().map(|total| total.count));
    vec![Arc::new(sums.with_data_type(wide(scale))), Arc::new(counts)]
}

/// The totals that these columns hold.
pub(super) fn totals_of(states: &[ArrayRef]) -> Result<impl Iterator<Item = UnitTotal>> {
    let [sums, counts] = states else { return Err(no_values()) };
    let sums = sums.as_primitive::<Decimal128Type>().values().iter();
    let counts = counts.as_primitive::<UInt64Type>().values().iter();
    Ok(sums.zip(counts).map(|(sum, count)| UnitTotal { sum: *sum, count: *count }))
}

/// The mean of all rows, or of a window that moves.
#[derive(Debug)]
struct DecimalMean {
    scale: i8,
    total: UnitTotal,
}

impl Accumulator for DecimalMean {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        units(values, self.scale)?.iter().try_for_each(|units| self.total.add(UnitTotal::of(units)))
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for units in units(values, self.scale)?.iter().flatten() {
            self.total.add(UnitTotal { sum: -units, count: 0 })?;
            self.total.count -= 1;
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(self.total.mean(self.scale)?))
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let UnitTotal { sum, count } = self.total;
        let sum = ScalarValue::Decimal128(Some(sum), DECIMAL128_MAX_PRECISION, self.scale);
        Ok(vec![sum, ScalarValue::UInt64(Some(count))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        totals_of(states)?.try_for_each(|more| self.total.add(more))
    }
}
