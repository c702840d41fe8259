//! What columns and values hold: as numbers, and as messages show them.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Schema, TimeUnit};
use datafusion::arrow::util::display::array_value_to_string;
use mlpipeline_crds::beginning;

use crate::model::FeatureKind;
use crate::preprocess::{Spelling, parse_time, whole_text};

/// How many columns a message lists.
const COLUMNS_LISTED: usize = 64;

/// The longest value that a message shows, in characters.
const VALUE_SHOWN: usize = 64;

/// The kind of numbers that a column holds.
#[must_use]
pub fn feature_kind(data_type: &DataType) -> FeatureKind {
    match value_type(data_type) {
        DataType::Boolean => FeatureKind::Boolean,
        other if other.is_integer() => FeatureKind::Integer,
        _ => FeatureKind::Float,
    }
}

/// The columns of a table, for messages.
#[must_use]
pub fn column_names(schema: &Schema) -> String {
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    match names.get(..COLUMNS_LISTED) {
        Some(first) if names.len() > COLUMNS_LISTED => {
            format!("{} and {} more", first.join(", "), names.len() - COLUMNS_LISTED)
        }
        _ => names.join(", "),
    }
}

/// What a type holds, for people.
#[must_use]
pub fn kind_name(data_type: &DataType) -> String {
    match value_type(data_type) {
        DataType::Boolean => "booleans".to_owned(),
        DataType::Date32 | DataType::Date64 => "dates".to_owned(),
        DataType::Timestamp(..) => "times".to_owned(),
        DataType::Null => "nothing but nulls".to_owned(),
        text if is_text(text) => "text".to_owned(),
        whole if whole.is_integer() => "whole numbers".to_owned(),
        number if number.is_numeric() => "numbers".to_owned(),
        other => format!("values of type {other}"),
    }
}

/// The type of the values, be they in a dictionary or not.
#[must_use]
pub fn value_type(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => values,
        other => other,
    }
}

/// Whether a type holds text.
#[must_use]
pub fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// Whether a type holds numbers, or booleans, which count as 0 and 1.
#[must_use]
pub fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric() || matches!(data_type, DataType::Boolean)
}

/// A column's values as numbers; null where a value is none.
#[must_use]
pub fn numbers(array: &ArrayRef) -> ArrayRef {
    // A cast of types that were checked cannot fail; nulls would be reported as such.
    cast(array, &DataType::Float64).unwrap_or_else(|_| Arc::new(Float64Array::new_null(array.len())))
}

/// A column's booleans as 1 and 0, be they spelled as such, as texts or as those numbers; null where a value is none of these, and NaN
/// where there is NaN.
#[must_use]
pub(super) fn booleans(array: &ArrayRef) -> ArrayRef {
    let as_booleans: Float64Array = if is_text(value_type(array.data_type())) {
        let Some(texts) = as_text(array, &Spelling::default()) else { return numbers(array) };
        let known = |text: &str| match text {
            yes if yes.eq_ignore_ascii_case("true") => Some(1.0),
            no if no.eq_ignore_ascii_case("false") => Some(0.0),
            _ => None,
        };
        texts.as_string::<i32>().iter().map(|text| known(text?)).collect()
    } else {
        let is_known = |number: &f64| [0.0, 1.0].contains(number) || number.is_nan();
        // -0 is 0.
        let known = |number: Option<f64>| number.filter(is_known).map(|number| number + 0.0);
        numbers(array).as_primitive::<Float64Type>().iter().map(known).collect()
    };
    Arc::new(as_booleans)
}

/// Whether a type holds dates or times.
#[must_use]
pub(super) fn is_time(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..))
}

/// A column's dates or times as milliseconds since 1970; null where a value is none.
#[must_use]
pub(super) fn milliseconds(array: &ArrayRef) -> ArrayRef {
    let milliseconds = DataType::Timestamp(TimeUnit::Millisecond, None);
    let times: Option<ArrayRef> = if is_text(value_type(array.data_type())) {
        as_text(array, &Spelling::default()).map(|texts| {
            let times = texts.as_string::<i32>().iter().map(|text| text.and_then(parse_time));
            Arc::new(Int64Array::from_iter(times)) as ArrayRef
        })
    } else {
        let times = cast(array, &milliseconds).and_then(|times| cast(&times, &DataType::Int64));
        times.ok()
    };
    let times = times.unwrap_or_else(|| Arc::new(Int64Array::new_null(array.len())));
    numbers(&times)
}

/// A column's values as texts: whole numbers without a point, however they are stored, since a column of codes with holes in it is one of
/// numbers with a point; true and false as the column's texts spell them. Null where a number is not whole; none for other types.
#[must_use]
pub(super) fn as_text(array: &ArrayRef, spelling: &Spelling) -> Option<ArrayRef> {
    match value_type(array.data_type()) {
        DataType::Boolean => {
            let values = cast(array, &DataType::Boolean).ok()?;
            let texts = values.as_boolean().iter().map(|value| Some(spelling.of(value?)));
            Some(Arc::new(StringArray::from_iter(texts)))
        }
        number if number.is_floating() || number.is_decimal() => {
            let values = cast(array, &DataType::Float64).ok()?;
            let texts = values.as_primitive::<Float64Type>().iter().map(|value| whole_text(value?));
            Some(Arc::new(StringArray::from_iter(texts)))
        }
        _ => cast(array, &DataType::Utf8).ok(),
    }
}

/// A value as a message shows it.
#[must_use]
pub fn shown(array: &ArrayRef, row: usize) -> String {
    beginning(&array_value_to_string(array, row).unwrap_or_default(), VALUE_SHOWN)
}
