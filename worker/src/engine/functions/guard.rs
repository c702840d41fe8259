//! What is asked of a function's arguments before it is called, and of its values after.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, TimestampMicrosecondArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF};

use super::made_bytes::Maker;
use super::notations::by_pattern;

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
    /// Seconds since 1970 with a fraction are within the years that nanoseconds reach, at whose ends they would stop; the rest as [`Guard::Notations`].
    InReach,
    /// Texts are read by patterns as they are written: an hour alone is one, `%f` is a fraction, and a year of two digits is none of four.
    Notations,
    /// Texts are of the type of what stands beside them, as where they are compared.
    TextsAsOthers,
    /// Where the engine fails to say how the values are sorted, they are not: it would forget by what rows are sorted already.
    OrderUnknown,
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
            Self::TextsAsOthers | Self::OrderUnknown => function.invoke_with_args(args),
            Self::InReach => match args.args.first().filter(|seconds| seconds.data_type().is_floating()) {
                Some(seconds) => since_1970(seconds, args.return_field.data_type(), function.name()),
                None => by_pattern(function, args),
            },
            Self::Notations => by_pattern(function, args),
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

/// Seconds since 1970 as times, to the microsecond, beyond which a number of this size has no digits.
fn since_1970(seconds: &ColumnarValue, time: &DataType, name: &str) -> Result<ColumnarValue> {
    /// What nanoseconds of 64 bits reach, in seconds.
    const REACH: f64 = 9_223_372_036.0;
    let is_one = matches!(seconds, ColumnarValue::Scalar(_));
    let seconds = cast(&seconds.to_array(1)?, &DataType::Float64)?;
    let seconds = seconds.as_primitive::<Float64Type>();
    if let Some(beyond) = seconds.iter().flatten().find(|seconds| seconds.is_nan() || seconds.abs() > REACH) {
        return Err(DataFusionError::Execution(format!(
            "{name} cannot hold {beyond} seconds since 1970: it reaches from 1677 to 2262; use to_timestamp_seconds, which takes whole seconds, \
             and leave out with WHERE what is not a number"
        )));
    }
    let micros = |seconds: f64| seconds.trunc() as i64 * 1_000_000 + (seconds.fract() * 1e6).round() as i64;
    let times: TimestampMicrosecondArray = seconds.unary(micros);
    let times = cast(&times, time)?;
    Ok(if is_one {
        ColumnarValue::Scalar(ScalarValue::try_from_array(&times, 0)?)
    } else {
        ColumnarValue::Array(times)
    })
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
