//! `sum` of whole numbers: exact, and an error where the result does not fit, where the engine would wrap around.

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray};
use datafusion::arrow::compute::{CastOptions, cast, cast_with_options};
use datafusion::arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Field, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::functions_aggregate::sum::Sum;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF, Signature,
};

/// What sums are computed in: no number of rows that fits on a disk overflows it.
const WIDE: DataType = DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0);

/// The engine's `sum`, which computes whole numbers as wide ones.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct CheckedSum {
    sum: Sum,
}

impl CheckedSum {
    pub(super) fn new() -> Self {
        Self { sum: Sum::new() }
    }
}

/// The arguments with a wide result, where it is a whole number.
fn widened<'a>(args: &AccumulatorArgs<'a>) -> Option<(AccumulatorArgs<'a>, DataType)> {
    let narrow = args.return_field.data_type().clone();
    narrow.is_integer().then(|| {
        let return_field: FieldRef = Field::new(args.return_field.name(), WIDE, true).into();
        (AccumulatorArgs { return_field, ..args.clone() }, narrow)
    })
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
            Some((wide, narrow)) => Ok(Box::new(WideSum { sum: self.sum.accumulator(wide)?, narrow })),
            None => self.sum.accumulator(args),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let return_field = if args.return_type().is_integer() {
            Field::new(args.return_field.name(), WIDE, true).into()
        } else {
            args.return_field
        };
        self.sum.state_fields(StateFieldsArgs { return_field, ..args })
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.sum.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        match widened(&args) {
            Some((wide, narrow)) => {
                Ok(Box::new(WideSums { sums: self.sum.create_groups_accumulator(wide)?, narrow }))
            }
            None => self.sum.create_groups_accumulator(args),
        }
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        match widened(&args).filter(|_| !args.is_distinct) {
            Some((wide, narrow)) => {
                Ok(Box::new(WideSum { sum: self.sum.create_sliding_accumulator(wide)?, narrow }))
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

fn wide(values: &[ArrayRef]) -> Result<Vec<ArrayRef>> {
    Ok(values.iter().map(|values| cast(values, &WIDE)).collect::<Result<_, _>>()?)
}

fn too_large() -> DataFusionError {
    DataFusionError::Execution(
        "a sum is too large for a whole number of 64 bits; sum DOUBLE or DECIMAL instead: sum(CAST(x AS DECIMAL(38, 0)))"
            .to_owned(),
    )
}

fn narrowed(sums: &dyn Array, narrow: &DataType) -> Result<ArrayRef> {
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(sums, narrow, &strict).map_err(|_| too_large())
}

/// One sum.
#[derive(Debug)]
struct WideSum {
    sum: Box<dyn Accumulator>,
    narrow: DataType,
}

impl Accumulator for WideSum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.sum.update_batch(&wide(values)?)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let sum = self.sum.evaluate()?.to_array()?;
        ScalarValue::try_from_array(&narrowed(&sum, &self.narrow)?, 0)
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
        self.sum.retract_batch(&wide(values)?)
    }

    fn supports_retract_batch(&self) -> bool {
        self.sum.supports_retract_batch()
    }
}

/// A sum for each group.
struct WideSums {
    sums: Box<dyn GroupsAccumulator>,
    narrow: DataType,
}

impl GroupsAccumulator for WideSums {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        groups: usize,
    ) -> Result<()> {
        self.sums.update_batch(&wide(values)?, group_indices, filter, groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        narrowed(&self.sums.evaluate(emit_to)?, &self.narrow)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.sums.state(emit_to)
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], groups: usize) -> Result<()> {
        self.sums.merge_batch(values, group_indices, groups)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        self.sums.convert_to_state(&wide(values)?, filter)
    }

    fn size(&self) -> usize {
        self.sums.size()
    }
}
