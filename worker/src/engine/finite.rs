//! Casts to numbers with a fraction that would become infinite: a text of digits, and a number, beyond the largest number of the type cannot be
//! cast to it. The engine makes an infinity of it without a word.
//!
//! It runs after types are made alike, when all casts are there. Must not change arithmetic, whose results may be infinite, nor texts that name an
//! infinity.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, ListArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::compute::kernels::nullif::nullif;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::arrow::error::ArrowError;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, ScalarValue, plan_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::{Cast, ScalarFunction, TryCast};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, LogicalPlan, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};
use datafusion::optimizer::AnalyzerRule;

use super::rewrite::rewrite;

/// Puts the function that checks around casts that may become infinite.
#[derive(Debug)]
pub(super) struct FiniteCasts {
    cast: Arc<ScalarUDF>,
    try_cast: Arc<ScalarUDF>,
}

impl FiniteCasts {
    pub(super) fn new() -> Self {
        let finite = |is_null_else| Arc::new(ScalarUDF::new_from_impl(Finite::new(is_null_else)));
        Self { cast: finite(false), try_cast: finite(true) }
    }

    fn read(&self, expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
        let (inner, to, function) = match &expr {
            Expr::Cast(Cast { expr, field }) => (expr.as_ref(), field.data_type().clone(), &self.cast),
            Expr::TryCast(TryCast { expr, field }) => {
                (expr.as_ref(), field.data_type().clone(), &self.try_cast)
            }
            Expr::ScalarFunction(ScalarFunction { func, args }) => {
                let function = match func.name() {
                    "arrow_cast" => &self.cast,
                    "arrow_try_cast" => &self.try_cast,
                    _ => return Ok(Transformed::no(expr)),
                };
                let Some(inner) = args.first() else { return Ok(Transformed::no(expr)) };
                let Ok(to) = expr.get_type(schema) else { return Ok(Transformed::no(expr)) };
                (inner, to, function)
            }
            // The engine reads an infinity where the digits are too many, and there is no other way to write one.
            Expr::Literal(ScalarValue::Float64(Some(number)), _) if number.is_infinite() => {
                return plan_err!(
                    "a number that is written out is larger than all numbers of a DOUBLE, which end at 1.8e308; CAST('inf' AS DOUBLE) is infinity"
                );
            }
            _ => return Ok(Transformed::no(expr)),
        };
        if !inner.get_type(schema).is_ok_and(|from| may_be_infinite(&from, &to)) {
            return Ok(Transformed::no(expr));
        }
        let args = vec![inner.clone(), expr.clone()];
        Ok(Transformed::yes(Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(function), args))))
    }
}

fn may_be_infinite(from: &DataType, to: &DataType) -> bool {
    match to {
        DataType::List(to) => match from {
            DataType::List(from) => may_be_infinite(from.data_type(), to.data_type()),
            _ => false,
        },
        DataType::Float64 => from.is_string(),
        DataType::Float32 => from.is_string() || matches!(from, DataType::Float64 | DataType::Decimal256(..)),
        _ => false,
    }
}

impl AnalyzerRule for FiniteCasts {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        rewrite(plan, &|expr, schema| self.read(expr, schema))
    }

    fn name(&self) -> &'static str {
        "finite_casts"
    }
}

/// What a value was cast to, where both or neither of them are infinite.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Finite {
    /// Null for others, which fail else.
    is_null_else: bool,
    signature: Signature,
}

impl Finite {
    fn new(is_null_else: bool) -> Self {
        Self { is_null_else, signature: Signature::any(2, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Finite {
    fn name(&self) -> &'static str {
        if self.is_null_else { "finite_or_null" } else { "finite" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        types.get(1).cloned().ok_or_else(no_arguments)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let [_, number] = args.arg_fields else { return Err(no_arguments()) };
        let is_nullable = self.is_null_else || number.is_nullable();
        Ok(Arc::new(Field::new(self.name(), number.data_type().clone(), is_nullable)))
    }

    /// Null stays null, so that joins are planned as they would be without it.
    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value, number] = args.args.as_slice() else { return Err(no_arguments()) };
        let numbers = number.to_array(args.number_rows)?;
        if !has_infinity(&numbers)? {
            return Ok(number.clone());
        }
        let values = value.to_array(args.number_rows)?;
        Ok(ColumnarValue::Array(finite(&values, numbers, self.is_null_else)?))
    }
}

fn no_arguments() -> DataFusionError {
    DataFusionError::Internal("a value and what it was cast to are expected".to_owned())
}

fn has_infinity(numbers: &ArrayRef) -> Result<bool, ArrowError> {
    if let Some(lists) = numbers.as_list_opt::<i32>() {
        return has_infinity(lists.values());
    }
    let numbers = cast(numbers, &DataType::Float64)?;
    Ok(numbers.as_primitive::<Float64Type>().values().iter().any(|number| number.is_infinite()))
}

/// The numbers that values were cast to; null or an error where one is infinite and its value is not.
fn finite(values: &ArrayRef, numbers: ArrayRef, is_null_else: bool) -> Result<ArrayRef, ArrowError> {
    if let (Some(lists), Some(made)) = (values.as_list_opt::<i32>(), numbers.as_list_opt::<i32>()) {
        let within = finite(lists.values(), Arc::clone(made.values()), is_null_else)?;
        let (field, offsets, _, nulls) = made.clone().into_parts();
        return Ok(Arc::new(ListArray::try_new(field, offsets, within, nulls)?));
    }
    let doubles = cast(&numbers, &DataType::Float64)?;
    let texts = cast(values, &DataType::Utf8)?;
    // Of all texts that are numbers, those of infinities alone have this letter.
    let is_infinite = |text: &str| text.contains(['n', 'N']);
    let rows = doubles.as_primitive::<Float64Type>().iter().zip(texts.as_string::<i32>());
    let failed: Vec<Option<&str>> = rows
        .map(|(number, text)| text.filter(|text| number.is_some_and(f64::is_infinite) && !is_infinite(text)))
        .collect();
    match failed.iter().flatten().next() {
        None => Ok(numbers),
        Some(_) if is_null_else => {
            let is_failed: Vec<bool> = failed.iter().map(Option::is_some).collect();
            nullif(&numbers, &BooleanArray::from(is_failed))
        }
        Some(text) if values.data_type().is_string() => Err(ArrowError::CastError(format!(
            "Cannot cast string '{text}' to value of {} type",
            numbers.data_type()
        ))),
        Some(text) => {
            Err(ArrowError::CastError(format!("Can't cast value {text} to type {}", numbers.data_type())))
        }
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Float64Array, StringArray};

    use super::*;

    #[test]
    fn what_becomes_infinite_is_refused_or_null_and_infinities_stay() {
        let texts = [Some("1e999"), Some("-inf"), None, Some("2.5"), Some("Infinity")];
        let values: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
        let numbers = cast(&values, &DataType::Float64).expect("numbers");
        let error = finite(&values, Arc::clone(&numbers), false).expect_err("too large");
        assert_eq!(error.to_string(), "Cast error: Cannot cast string '1e999' to value of Float64 type");
        let found = finite(&values, numbers, true).expect("null for it");
        let expected = [None, Some(f64::NEG_INFINITY), None, Some(2.5), Some(f64::INFINITY)];
        assert_eq!(found.as_primitive::<Float64Type>(), &Float64Array::from(expected.to_vec()));

        let values: ArrayRef = Arc::new(Float64Array::from(vec![f64::INFINITY, 1e300]));
        let numbers = cast(&values, &DataType::Float32).expect("numbers");
        let error = finite(&values, numbers, false).expect_err("too large");
        assert_eq!(error.to_string(), "Cast error: Can't cast value 1e300 to type Float32");
        let values: ArrayRef = Arc::new(Float64Array::from(vec![f64::NEG_INFINITY]));
        let numbers = cast(&values, &DataType::Float32).expect("numbers");
        assert!(finite(&values, numbers, false).is_ok());
    }
}
