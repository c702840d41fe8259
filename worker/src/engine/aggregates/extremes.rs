//! The least or greatest number of a table, of each group and of a window. NaN is greater than every number, as where rows are sorted; the
//! engine takes whichever of NaN and a number comes last, and says 1.8e308 of a group of infinities.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

use super::filtered::filtered;
use super::two_stacks::{OfWindow, Summary, Window};

/// Which end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Extreme {
    Least,
    Greatest,
}

impl Extreme {
    fn replaces(self, found: f64, kept: f64) -> bool {
        match self {
            Self::Least => found < kept || kept.is_nan() && !found.is_nan(),
            Self::Greatest => found > kept || found.is_nan(),
        }
    }
}

/// One for each group; none for a group without a value.
pub(super) struct Extremes {
    extreme: Extreme,
    /// Of the values; they are kept as 64 bits, which hold 32.
    data_type: DataType,
    found: Vec<Option<f64>>,
}

impl Extremes {
    pub(super) fn new(extreme: Extreme, data_type: DataType) -> Self {
        Self { extreme, data_type, found: Vec::new() }
    }
}

/// The one of all rows.
#[derive(Debug)]
pub(super) struct OfAll {
    end: End,
    found: Ends,
}

impl OfAll {
    pub(super) fn new(extreme: Extreme, data_type: DataType) -> Self {
        Self { end: End { extreme, data_type }, found: Ends::default() }
    }
}

/// The one of a window that moves.
pub(super) fn moving(extreme: Extreme, data_type: DataType) -> Box<dyn Accumulator> {
    Box::new(Window::new(End { extreme, data_type }))
}

/// Which end of numbers of a type.
#[derive(Debug)]
struct End {
    extreme: Extreme,
    data_type: DataType,
}

/// Both ends of some rows; none where they have no value.
#[derive(Clone, Copy, Debug, Default)]
struct Ends {
    least: Option<f64>,
    greatest: Option<f64>,
}

impl Summary for Ends {
    fn and(self, other: Self) -> Self {
        let farther = |extreme: Extreme, kept: Option<f64>, found: Option<f64>| match (kept, found) {
            (Some(kept), Some(found)) if !extreme.replaces(found, kept) => Some(kept),
            (kept, found) => found.or(kept),
        };
        Self {
            least: farther(Extreme::Least, self.least, other.least),
            greatest: farther(Extreme::Greatest, self.greatest, other.greatest),
        }
    }
}

impl OfWindow for End {
    type Row = Ends;

    fn rows(&self, values: &[ArrayRef]) -> Result<Vec<Ends>> {
        let values = cast(values.first().ok_or_else(no_values)?, &DataType::Float64)?;
        let numbers = values.as_primitive::<Float64Type>().iter();
        Ok(numbers.map(|number| Ends { least: number, greatest: number }).collect())
    }

    fn answer(&self, all: Ends) -> ScalarValue {
        let found = match self.extreme {
            Extreme::Least => all.least,
            Extreme::Greatest => all.greatest,
        };
        match self.data_type {
            // It was one of these.
            DataType::Float32 => ScalarValue::Float32(found.map(|number| number as f32)),
            _ => ScalarValue::Float64(found),
        }
    }
}

impl Accumulator for OfAll {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = self.end.rows(values)?;
        self.found = rows.into_iter().fold(self.found, Ends::and);
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.end.answer(self.found))
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }
}

fn no_values() -> DataFusionError {
    DataFusionError::Internal("no values".to_owned())
}

impl GroupsAccumulator for Extremes {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        groups: usize,
    ) -> Result<()> {
        self.found.resize(groups, None);
        let values = values.first().ok_or_else(no_values)?;
        let values = cast(values, &DataType::Float64)?;
        let rows = values.as_primitive::<Float64Type>().iter().zip(group_indices).enumerate();
        for (row, (value, group)) in rows {
            let is_taken = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
            let (Some(value), Some(kept)) = (value.filter(|_| is_taken), self.found.get_mut(*group)) else {
                continue;
            };
            if kept.is_none_or(|kept| self.extreme.replaces(value, kept)) {
                *kept = Some(value);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let found: ArrayRef = Arc::new(Float64Array::from(emit_to.take_needed(&mut self.found)));
        Ok(cast(&found, &self.data_type)?)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.evaluate(emit_to)?])
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], groups: usize) -> Result<()> {
        self.update_batch(values, group_indices, None, groups)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let values = values.first().ok_or_else(no_values)?;
        Ok(vec![filtered(values, filter)?])
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.found.capacity() * size_of::<Option<f64>>()
    }
}
