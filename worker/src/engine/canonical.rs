//! One form of numbers that have several: NaN, whose sign no one asked for and by which it would be less or greater than all others; and zero,
//! which the engine takes for two where it sorts or divides rows.
//!
//! Owns both forms, and the functions of plans that give them. Must not know where they are needed.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float32Type, Float64Type};
use datafusion::common::ScalarValue;
use datafusion::common::utils::normalize_float_zero;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// In which form a number is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Form {
    /// As a value: NaN is positive, and with that greater than all others.
    Value,
    /// As what rows are sorted or divided by: zero is positive as well.
    Key,
}

/// The function of plans that gives this form.
pub(super) fn function(form: Form) -> Arc<ScalarUDF> {
    let signature = Signature::any(1, Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(Canonical { form, signature }))
}

/// Whether this is a type whose values have several forms.
pub(super) fn is_number(found: &DataType) -> bool {
    matches!(found, DataType::Float32 | DataType::Float64)
}

/// The values with every NaN positive.
pub(super) fn positive_nan(values: ArrayRef) -> ArrayRef {
    match values.data_type() {
        DataType::Float64 => {
            let numbers = values.as_primitive::<Float64Type>();
            if !numbers.values().iter().any(|number| number.is_nan() && number.is_sign_negative()) {
                return values;
            }
            Arc::new(
                numbers.unary::<_, Float64Type>(|number| if number.is_nan() { f64::NAN } else { number }),
            )
        }
        DataType::Float32 => {
            let numbers = values.as_primitive::<Float32Type>();
            if !numbers.values().iter().any(|number| number.is_nan() && number.is_sign_negative()) {
                return values;
            }
            Arc::new(
                numbers.unary::<_, Float32Type>(|number| if number.is_nan() { f32::NAN } else { number }),
            )
        }
        _ => values,
    }
}

/// The value, positive where it is NaN.
pub(super) fn positive_nan_of(value: ScalarValue) -> ScalarValue {
    match value {
        ScalarValue::Float64(Some(number)) if number.is_nan() => ScalarValue::Float64(Some(f64::NAN)),
        ScalarValue::Float32(Some(number)) if number.is_nan() => ScalarValue::Float32(Some(f32::NAN)),
        other => other,
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Canonical {
    form: Form,
    signature: Signature,
}

impl ScalarUDFImpl for Canonical {
    fn name(&self) -> &'static str {
        match self.form {
            Form::Value => "positive_nan",
            Form::Key => "number_key",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        types.first().cloned().ok_or_else(no_argument)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let field = args.arg_fields.first().ok_or_else(no_argument)?;
        Ok(Arc::new(Field::clone(field).with_name(self.name())))
    }

    /// Null stays null, so that joins are planned as they would be without it.
    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let value = args.args.first().ok_or_else(no_argument)?;
        let values = positive_nan(value.to_array(args.number_rows)?);
        Ok(ColumnarValue::Array(match self.form {
            Form::Value => values,
            Form::Key => normalize_float_zero(&values),
        }))
    }

    /// Keys come in the order of their values, in which NaN is positive by then.
    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        match (self.form, inputs.first()) {
            (Form::Key, Some(input)) => Ok(input.sort_properties),
            _ => Ok(SortProperties::Unordered),
        }
    }
}

fn no_argument() -> DataFusionError {
    DataFusionError::Internal("no argument".to_owned())
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Float32Array, Float64Array};

    use super::*;

    #[test]
    fn nan_is_positive_and_other_numbers_stay() {
        let values = [Some(-f64::NAN), Some(f64::NAN), Some(-0.0), None, Some(f64::NEG_INFINITY)];
        let found = positive_nan(Arc::new(Float64Array::from(values.to_vec())));
        let found: Vec<_> =
            found.as_primitive::<Float64Type>().iter().map(|number| number.map(f64::to_bits)).collect();
        let expected = [Some(f64::NAN), Some(f64::NAN), Some(-0.0), None, Some(f64::NEG_INFINITY)];
        assert_eq!(found, expected.map(|number| number.map(f64::to_bits)));
        let found = positive_nan(Arc::new(Float32Array::from(vec![-f32::NAN, 1.5])));
        assert!(found.as_primitive::<Float32Type>().value(0).is_sign_positive());
    }
}
