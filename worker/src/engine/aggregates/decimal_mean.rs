//! The mean of decimals with all its digits: their exact sum, divided as a number. The engine cuts it after four digits more than theirs.

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, DecimalType, Field, FieldRef, UInt64Type,
};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::Accumulator;
use datafusion::logical_expr::utils::format_state_name;

/// The digits behind the point of decimals whose sum is kept here; `None` of other types.
pub(super) fn scale(found: &DataType) -> Option<i8> {
    match found {
        DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale) => {
            Some(*scale)
        }
        _ => None,
    }
}

/// What is known of some of the rows: their sum, and how many there are.
pub(super) fn state_fields(name: &str, scale: i8) -> Vec<FieldRef> {
    let fields = [("sum", wide(scale)), ("count", DataType::UInt64)];
    fields.map(|(part, found)| FieldRef::new(Field::new(format_state_name(name, part), found, true))).into()
}

fn wide(scale: i8) -> DataType {
    DataType::Decimal128(DECIMAL128_MAX_PRECISION, scale)
}

/// The sum of decimals, in units of their last digit, and how many there are.
#[derive(Debug)]
pub(super) struct DecimalMean {
    scale: i8,
    sum: i128,
    count: u64,
}

impl DecimalMean {
    pub(super) fn new(scale: i8) -> Self {
        Self { scale, sum: 0, count: 0 }
    }

    /// The values in units of their last digit.
    fn units(&self, values: &[ArrayRef]) -> Result<Vec<i128>> {
        let values = values.first().ok_or_else(no_values)?;
        let wide = cast(values, &wide(self.scale))?;
        Ok(wide.as_primitive::<Decimal128Type>().iter().flatten().collect())
    }

    fn add(&mut self, units: i128) -> Result<()> {
        self.sum = self.sum.checked_add(units).ok_or_else(|| {
            DataFusionError::Execution(
                "the sum of a mean is too large for a decimal; write avg(CAST(x AS DOUBLE))".to_owned(),
            )
        })?;
        Ok(())
    }
}

fn no_values() -> DataFusionError {
    DataFusionError::Internal("no values".to_owned())
}

impl Accumulator for DecimalMean {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for units in self.units(values)? {
            self.add(units)?;
            self.count += 1;
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for units in self.units(values)? {
            self.add(-units)?;
            self.count -= 1;
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.count == 0 {
            return Ok(ScalarValue::Float64(None));
        }
        // Its text is the sum itself, of which the nearest number is read.
        let sum = Decimal128Type::format_decimal(self.sum, DECIMAL128_MAX_PRECISION, self.scale);
        let sum: f64 =
            sum.parse().map_err(|_| DataFusionError::Internal(format!("{sum} is not a number")))?;
        Ok(ScalarValue::Float64(Some(sum / self.count as f64)))
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let sum = ScalarValue::Decimal128(Some(self.sum), DECIMAL128_MAX_PRECISION, self.scale);
        Ok(vec![sum, ScalarValue::UInt64(Some(self.count))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for units in self.units(states)? {
            self.add(units)?;
        }
        let counts = states.get(1).ok_or_else(no_values)?;
        self.count += counts.as_primitive::<UInt64Type>().iter().flatten().sum::<u64>();
        Ok(())
    }
}
