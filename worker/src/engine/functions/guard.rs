//! What is asked of a function's arguments before it is called, and of its values after.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray};
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
}

impl Guard {
    pub(super) fn invoke(
        self,
        function: &ScalarUDF,
        args: ScalarFunctionArgs,
        pool: &Arc<dyn MemoryPool>,
    ) -> Result<ColumnarValue> {
        let given = ColumnarValue::values_to_arrays(&args.args)?;
        match self {
            Self::MadeFrom(maker) => {
                let reservation = MemoryConsumer::new(MADE_BY).register(pool);
                reservation.try_grow(maker.bytes(&given)?)?;
                function.invoke_with_args(args)
            }
            Self::StaysFinite => {
                let values = function.invoke_with_args(args)?;
                finite(values, &given)
            }
            Self::StaysPresent => {
                let values = function.invoke_with_args(args)?;
                present(values, &given, function.name())
            }
        }
    }
}

fn finite(values: ColumnarValue, given: &[ArrayRef]) -> Result<ColumnarValue> {
    let Some(numbers) = given.first() else { return Ok(values) };
    match values.data_type() {
        DataType::Float32 => kept::<Float32Type>(values, numbers, f32::is_finite),
        DataType::Float64 => kept::<Float64Type>(values, numbers, f64::is_finite),
        _ => Ok(values),
    }
}

/// The values, with the number itself where it is finite and the value is not.
fn kept<T: ArrowPrimitiveType>(
    values: ColumnarValue,
    numbers: &ArrayRef,
    is_finite: fn(T::Native) -> bool,
) -> Result<ColumnarValue> {
    let array = values.to_array(numbers.len())?;
    let (found, numbers) = (array.as_primitive::<T>(), numbers.as_primitive_opt::<T>());
    let Some(numbers) = numbers.filter(|_| !found.values().iter().all(|value| is_finite(*value))) else {
        return Ok(values);
    };
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

fn present(values: ColumnarValue, given: &[ArrayRef], name: &str) -> Result<ColumnarValue> {
    let rows = given.iter().map(|array| array.len()).max().unwrap_or_default();
    let array = values.to_array(rows)?;
    let is_lost = |row: usize| {
        array.is_null(row) && given.iter().all(|argument| row < argument.len() && argument.is_valid(row))
    };
    if array.null_count() > 0 && (0..array.len()).any(is_lost) {
        return Err(DataFusionError::Execution(format!(
            "{name} has a time outside of the years 1678 to 2261, which it cannot compute with; leave such rows out with WHERE, or use \
             CAST(x AS DATE)"
        )));
    }
    Ok(values)
}
