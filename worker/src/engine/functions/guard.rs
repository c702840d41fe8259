//! What is asked of a function's arguments before it is called, and of its values after.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF};

use super::made_bytes::Maker;

/// How the engine's memory calls what a function is about to make; what is said of it goes by this name.
const MADE_BY: &str = "FunctionValues";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Guard {
    /// The values are as long as arguments say: their memory is asked for first.
    MadeFrom(Maker),
    /// A finite number stays one: where the engine computes over the largest number on its way, the answer is the number itself.
    StaysFinite,
    /// No row without a null argument becomes null.
    StaysPresent,
    /// Seconds since 1970 with a fraction are within the years that nanoseconds reach, at whose ends they would stop.
    InReach,
}

impl Guard {
    pub(super) fn invoke(
        self,
        function: &ScalarUDF,
        args: ScalarFunctionArgs,
        pool: &Arc<dyn MemoryPool>,
    ) -> Result<ColumnarValue> {
        match self {
            Self::MadeFrom(maker) => {
                let given = ColumnarValue::values_to_arrays(&args.args)?;
                let reservation = MemoryConsumer::new(MADE_BY).register(pool);
                reservation.try_grow(maker.bytes(&given)?)?;
                function.invoke_with_args(args)
            }
            Self::StaysFinite => {
                let number = args.args.first().cloned();
                let values = function.invoke_with_args(args)?;
                finite(values, number.as_ref())
            }
            Self::StaysPresent => {
                let given = args.args.clone();
                let values = function.invoke_with_args(args)?;
                present(values, &given, function.name())
            }
            Self::InReach => {
                in_reach(&args.args, function.name())?;
                function.invoke_with_args(args)
            }
        }
    }
}

fn finite(values: ColumnarValue, number: Option<&ColumnarValue>) -> Result<ColumnarValue> {
    match (values.data_type(), number) {
        (DataType::Float32, Some(number)) => kept::<Float32Type>(values, number, f32::is_finite),
        (DataType::Float64, Some(number)) => kept::<Float64Type>(values, number, f64::is_finite),
        _ => Ok(values),
    }
}

/// The values, with the number itself where it is finite and the value is not.
fn kept<T: ArrowPrimitiveType>(
    values: ColumnarValue,
    number: &ColumnarValue,
    is_finite: fn(T::Native) -> bool,
) -> Result<ColumnarValue> {
    let array = values.to_array(1)?;
    let found = array.as_primitive::<T>();
    if found.values().iter().all(|value| is_finite(*value)) {
        return Ok(values);
    }
    let numbers = number.to_array(found.len())?;
    let Some(numbers) = numbers.as_primitive_opt::<T>() else { return Ok(values) };
    let kept: PrimitiveArray<T> = found
        .iter()
        .zip(numbers)
        .map(|(value, number)| match (value, number) {
            (Some(value), Some(number)) if !is_finite(value) && is_finite(number) => Some(number),
            (value, _) => value,
        })
        .collect();
    Ok(ColumnarValue::Array(Arc::new(kept)))
}

fn in_reach(given: &[ColumnarValue], name: &str) -> Result<()> {
    /// What nanoseconds of 64 bits reach, in seconds.
    const REACH: f64 = 9_223_372_036.0;
    let Some(seconds) = given.first().filter(|seconds| seconds.data_type().is_floating()) else {
        return Ok(());
    };
    let seconds = cast(&seconds.to_array(1)?, &DataType::Float64)?;
    match seconds.as_primitive::<Float64Type>().iter().flatten().find(|seconds| !(seconds.abs() <= REACH)) {
        None => Ok(()),
        Some(beyond) => Err(DataFusionError::Execution(format!(
            "{name} cannot hold {beyond} seconds since 1970: it reaches from 1677 to 2262; use to_timestamp_seconds, which takes whole seconds, \
             and leave out with WHERE what is no number"
        ))),
    }
}

fn present(values: ColumnarValue, given: &[ColumnarValue], name: &str) -> Result<ColumnarValue> {
    let array = values.to_array(1)?;
    if array.null_count() == 0 {
        return Ok(values);
    }
    let given = given.iter().map(|value| value.to_array(array.len())).collect::<Result<Vec<ArrayRef>>>()?;
    let is_lost = |row: usize| {
        array.is_null(row) && given.iter().all(|argument| row < argument.len() && argument.is_valid(row))
    };
    if (0..array.len()).any(is_lost) {
        return Err(DataFusionError::Execution(format!(
            "{name} has a time outside of the years 1678 to 2261, which it cannot compute with; leave such rows out with WHERE, or use \
             CAST(x AS DATE)"
        )));
    }
    Ok(values)
}
