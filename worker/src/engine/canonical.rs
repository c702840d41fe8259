//! One form of numbers that have several: NaN, whose sign no one asked for and by which it would be less or greater than all others; and zero,
//! which the engine takes for two where it sorts or divides rows.
//!
//! Owns both forms, of numbers and of what holds them, and the functions of plans that give them. Must not know where they are needed.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, make_array};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float32Type, Float64Type};
use datafusion::arrow::error::ArrowError;
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

/// Whether values of this type hold numbers that have several forms: lists of them, and objects.
pub(super) fn holds_numbers(found: &DataType) -> bool {
    match found {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            is_or_holds_numbers(item.data_type())
        }
        DataType::Map(entries, _) => holds_numbers(entries.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| is_or_holds_numbers(field.data_type())),
        _ => false,
    }
}

/// Whether values of this type have several forms themselves or hold numbers that do.
pub(super) fn is_or_holds_numbers(found: &DataType) -> bool {
    is_number(found) || holds_numbers(found)
}

/// The values with all numbers in a form, those within lists and objects too.
pub(super) fn in_form(values: ArrayRef, form: Form) -> Result<ArrayRef, ArrowError> {
    if !holds_numbers(values.data_type()) {
        let values = positive_nan(values);
        return Ok(match form {
            Form::Value => values,
            Form::Key => normalize_float_zero(&values),
        });
    }
    let held = values.to_data();
    let within = held.child_data().iter().map(|child| in_form(make_array(child.clone()), form));
    let within = within.collect::<Result<Vec<ArrayRef>, ArrowError>>()?;
    let within = within.iter().map(|child| child.to_data()).collect();
    Ok(make_array(held.into_builder().child_data(within).build()?))
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
        Ok(ColumnarValue::Array(in_form(value.to_array(args.number_rows)?, self.form)?))
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
    use datafusion::arrow::array::{Float32Array, Float64Array, ListArray};

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

    #[test]
    fn numbers_within_lists_get_their_form_too() {
        let list = |numbers: [f64; 2]| Some(numbers.map(Some).to_vec());
        let lists = [list([-f64::NAN, -0.0]), None, list([1.5, 0.0]), list([-0.0, -1.0])];
        let lists = ListArray::from_iter_primitive::<Float64Type, _, _>(lists);
        let found = in_form(Arc::new(lists.slice(1, 3)), Form::Key).expect("lists");
        let expected = [None, list([1.5, 0.0]), list([0.0, -1.0])];
        let expected = ListArray::from_iter_primitive::<Float64Type, _, _>(expected);
        assert_eq!(found.as_list::<i32>(), &expected);
        let found = in_form(Arc::new(lists), Form::Value).expect("lists");
        let first = found.as_list::<i32>().value(0);
        let first = first.as_primitive::<Float64Type>();
        assert!(first.value(0).is_sign_positive() && first.value(1).is_sign_negative());
    }
}
