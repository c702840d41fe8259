//! `sum` of whole numbers and decimals: exact, and an error where the result does not fit, where the engine would wrap around. That of doubles is
//! one of `totals`.

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray};
use datafusion::arrow::compute::{CastOptions, cast, cast_with_options};
use datafusion::arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Field, FieldRef,
};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::functions_aggregate::sum::Sum;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF, Signature,
};

use super::group_totals::GroupTotals;
use super::plain_nan::{plain_nan, plain_nans};
use super::totals::{self, Answer};

/// What the sum of this type is computed in: no number of rows that fits on a disk overflows it. None where the engine's own is right.
fn wide_type(narrow: &DataType) -> Option<DataType> {
    match narrow {
        DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale) => {
            Some(DataType::Decimal256(DECIMAL256_MAX_PRECISION, *scale))
        }
        whole if whole.is_integer() => Some(DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0)),
        _ => None,
    }
}

/// The engine's `sum`, which computes whole numbers and decimals as wide ones.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct CheckedSum {
    sum: Sum,
}

impl CheckedSum {
    pub(super) fn new() -> Self {
        Self { sum: Sum::new() }
    }
}

/// The arguments with a wide result, and both types, where it is to be computed so.
fn widened<'a>(args: &AccumulatorArgs<'a>) -> Option<(AccumulatorArgs<'a>, Types)> {
    let narrow = args.return_field.data_type().clone();
    let wide = wide_type(&narrow)?;
    let return_field: FieldRef = Field::new(args.return_field.name(), wide.clone(), true).into();
    Some((AccumulatorArgs { return_field, ..args.clone() }, Types { wide, narrow }))
}

/// Whether the sum is a double: its numbers are doubles then, as all with a fraction are cast to them.
fn is_of_doubles(args: &AccumulatorArgs<'_>) -> bool {
    args.return_field.data_type() == &DataType::Float64
}

/// What a sum is computed in, and what it is in the end.
#[derive(Debug)]
struct Types {
    wide: DataType,
    narrow: DataType,
}

impl Types {
    fn wide(&self, values: &[ArrayRef]) -> Result<Vec<ArrayRef>> {
        Ok(values.iter().map(|values| cast(values, &self.wide)).collect::<Result<_, _>>()?)
    }

    fn narrow(&self, sums: &dyn Array) -> Result<ArrayRef> {
        let strict = CastOptions { safe: false, ..CastOptions::default() };
        cast_with_options(sums, &self.narrow, &strict).map_err(|_| self.too_large())
    }

    fn too_large(&self) -> DataFusionError {
        DataFusionError::Execution(if self.narrow.is_integer() {
            "a sum is too large for a whole number of 64 bits; sum DOUBLE or DECIMAL instead: sum(CAST(x AS DECIMAL(38, 0)))".to_owned()
        } else {
            format!(
                "a sum is too large for {}; sum with fewer digits behind the point, or DOUBLE: sum(CAST(x AS DOUBLE))",
                self.narrow
            )
        })
    }
}

impl AggregateUDFImpl for CheckedSum {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn signature(&self) -> &Signature {
        self.sum.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.sum.return_type(types)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.sum.coerce_types(types)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        match widened(&args) {
            Some((wide, types)) => Ok(Box::new(WideSum { sum: self.sum.accumulator(wide)?, types })),
            None if is_of_doubles(&args) => {
                Ok(plain_nan(true, totals::of_all(Answer::Sum, args.is_distinct)))
            }
            None => self.sum.accumulator(args),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        if args.return_type() == &DataType::Float64 {
            return Ok(totals::state_fields(args.name, args.is_distinct));
        }
        let return_field = match wide_type(args.return_type()) {
            Some(wide) => Field::new(args.return_field.name(), wide, true).into(),
            None => args.return_field,
        };
        self.sum.state_fields(StateFieldsArgs { return_field, ..args })
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.sum.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        match widened(&args) {
            Some((wide, types)) => {
                Ok(Box::new(WideSums { sums: self.sum.create_groups_accumulator(wide)?, types }))
            }
            None if is_of_doubles(&args) => Ok(plain_nans(true, Box::new(GroupTotals::new(Answer::Sum)))),
            None => self.sum.create_groups_accumulator(args),
        }
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        match widened(&args).filter(|_| !args.is_distinct) {
            Some((wide, types)) => {
                Ok(Box::new(WideSum { sum: self.sum.create_sliding_accumulator(wide)?, types }))
            }
            None if is_of_doubles(&args) && !args.is_distinct => {
                Ok(plain_nan(true, totals::moving(Answer::Sum)))
            }
            None => self.sum.create_sliding_accumulator(args),
        }
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// One sum.
#[derive(Debug)]
struct WideSum {
    sum: Box<dyn Accumulator>,
    types: Types,
}

impl Accumulator for WideSum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.sum.update_batch(&self.types.wide(values)?)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let sum = self.sum.evaluate()?.to_array()?;
        ScalarValue::try_from_array(&self.types.narrow(&sum)?, 0)
    }

    fn size(&self) -> usize {
        self.sum.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.sum.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.sum.merge_batch(states)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.sum.retract_batch(&self.types.wide(values)?)
    }

    fn supports_retract_batch(&self) -> bool {
        self.sum.supports_retract_batch()
    }
}

/// A sum for each group.
struct WideSums {
    sums: Box<dyn GroupsAccumulator>,
    types: Types,
}

impl GroupsAccumulator for WideSums {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        groups: usize,
    ) -> Result<()> {
        self.sums.update_batch(&self.types.wide(values)?, group_indices, filter, groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.types.narrow(&self.sums.evaluate(emit_to)?)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.sums.state(emit_to)
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], groups: usize) -> Result<()> {
        self.sums.merge_batch(values, group_indices, groups)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        self.sums.convert_to_state(&self.types.wide(values)?, filter)
    }

    fn size(&self) -> usize {
        self.sums.size()
    }
}
