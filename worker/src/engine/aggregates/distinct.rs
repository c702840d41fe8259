//! A sum or mean of different values: each counts once.
//!
//! Owns which values were there, and how partitions hand them on. Doubles differ where their bits do.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray, Decimal128Array, Float64Array};
use datafusion::arrow::compute::{cast, filter};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef, Float64Type};
use datafusion::common::ScalarValue;
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::Accumulator;
use datafusion::logical_expr::utils::format_state_name;

/// What partitions hand on: a list of the values.
pub(super) fn state_fields(name: &str, found: &DataType) -> Vec<FieldRef> {
    let values = Field::new_list_field(found.clone(), true);
    vec![Arc::new(Field::new_list(format_state_name(name, "distinct"), values, true))]
}

/// The values that were there, and what is computed of them.
#[derive(Debug)]
pub(super) struct Distinct {
    of: Box<dyn Accumulator>,
    /// Doubles, or decimals of 128 bits.
    found: DataType,
    seen: HashSet<i128>,
}

impl Distinct {
    pub(super) fn new(of: Box<dyn Accumulator>, found: DataType) -> Self {
        Self { of, found, seen: HashSet::new() }
    }
}

/// What tells each value from others.
fn keys(values: &ArrayRef) -> Vec<Option<i128>> {
    match values.as_primitive_opt::<Float64Type>() {
        Some(doubles) => doubles.iter().map(|double| Some(i128::from(double?.to_bits()))).collect(),
        None => values.as_primitive::<Decimal128Type>().iter().collect(),
    }
}

impl Accumulator for Distinct {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = values.first().ok_or_else(|| DataFusionError::Internal("no values".to_owned()))?;
        let values = cast(values, &self.found)?;
        let is_new = |key: Option<i128>| key.is_some_and(|key| self.seen.insert(key));
        let is_new: Vec<bool> = keys(&values).into_iter().map(is_new).collect();
        self.of.update_batch(&[filter(&values, &BooleanArray::from(is_new))?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.of.evaluate()
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.of.size() + self.seen.capacity() * (size_of::<i128>() + 1)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut keys: Vec<i128> = self.seen.iter().copied().collect();
        // In one order each time.
        keys.sort_unstable();
        let values: ArrayRef = if self.found == DataType::Float64 {
            let bits = keys.into_iter().filter_map(|key| u64::try_from(key).ok());
            Arc::new(Float64Array::from_iter_values(bits.map(f64::from_bits)))
        } else {
            Arc::new(Decimal128Array::from(keys).with_data_type(self.found.clone()))
        };
        Ok(vec![SingleRowListArrayBuilder::new(values).build_list_scalar()])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let lists = states.first().ok_or_else(|| DataFusionError::Internal("no values".to_owned()))?;
        for list in lists.as_list::<i32>().iter().flatten() {
            self.update_batch(&[list])?;
        }
        Ok(())
    }
}
