//! Numbers from the columns of record batches: what training and scoring both read.
//!
//! Owns which values are numbers that can be learnt from and predicted for, and the messages about those that are not. Must
//! not know what becomes of the numbers.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Schema};
use datafusion::arrow::util::display::array_value_to_string;
use mlpipeline_crds::ExitCode;

use crate::failure::Failure;
use crate::model::FeatureKind;

/// The largest absolute value that can be computed with: squares and sums of such values are still finite.
pub const MAX_MAGNITUDE: f64 = 1e100;

/// How many columns a message lists.
const COLUMNS_LISTED: usize = 64;

/// The longest value that a message shows, in characters.
const VALUE_SHOWN: usize = 64;

/// A column or value that is not a feature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeatureError {
    /// A column that is not there.
    #[error("column \"{name}\" not found; columns are {columns}")]
    NotFound {
        /// The column.
        name: String,
        /// The columns that there are.
        columns: String,
    },
    /// A column of a type that holds no numbers.
    #[error("column \"{name}\" holds {kind}, and features are numbers or booleans; {advice}")]
    Type {
        /// The column.
        name: String,
        /// What it holds.
        kind: String,
        /// What to do.
        advice: String,
    },
    /// A value that is not a finite number.
    #[error("column \"{name}\" {found} in row {row}, and features are numbers; {advice}")]
    Value {
        /// The column.
        name: String,
        /// What is there instead of a number.
        found: String,
        /// The row, from 1, a header not counted.
        row: u64,
        /// What to do.
        advice: String,
    },
}

impl Failure for FeatureError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::WrongData
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "ColumnNotFound",
            Self::Type { .. } | Self::Value { .. } => "WrongFeature",
        }
    }
}

/// Reads the features of batch after batch.
#[derive(Debug)]
pub struct FeatureReader {
    columns: Vec<Column>,
    /// The columns of text, by name: each row whose values are no numbers is an error already.
    text: BTreeSet<String>,
}

#[derive(Debug)]
struct Column {
    name: String,
    index: usize,
}

impl FeatureReader {
    /// A reader of these columns, in this order.
    ///
    /// # Errors
    /// When a column is not there, or is of a type that holds no numbers. Columns of text are looked at row by row, to show
    /// the value that is not a number.
    pub fn new<'a>(schema: &Schema, names: impl IntoIterator<Item = &'a str>) -> Result<Self, FeatureError> {
        let (mut columns, mut text) = (Vec::new(), BTreeSet::new());
        for name in names {
            let Some((index, field)) = schema.column_with_name(name) else {
                return Err(FeatureError::NotFound { name: name.to_owned(), columns: column_names(schema) });
            };
            let data_type = value_type(field.data_type());
            if !(is_number(data_type) || is_text(data_type) || matches!(data_type, DataType::Null)) {
                return Err(FeatureError::Type {
                    name: name.to_owned(),
                    kind: kind_name(data_type),
                    advice: "leave it out of the features, or make a number of it in a prepare step"
                        .to_owned(),
                });
            }
            if is_text(data_type) {
                text.insert(name.to_owned());
            }
            columns.push(Column { name: name.to_owned(), index });
        }
        Ok(Self { columns, text })
    }

    /// Writes the batch's features to `out`, row by row, replacing what was there. `before` is how many rows came before it.
    ///
    /// # Errors
    /// For the first value of a column, in the columns' order, that is not a finite number.
    pub fn read(&self, batch: &RecordBatch, before: u64, out: &mut Vec<f64>) -> Result<(), FeatureError> {
        let (rows, width) = (batch.num_rows(), self.columns.len());
        out.clear();
        out.resize(rows * width, 0.0);
        for (place, column) in self.columns.iter().enumerate() {
            let array = batch.column(column.index);
            let numbers = numbers(array);
            let numbers = numbers.as_primitive::<Float64Type>();
            let slots = out.iter_mut().skip(place).step_by(width.max(1));
            for (row, (slot, number)) in slots.zip(numbers.iter()).enumerate() {
                match number {
                    Some(number) if number.abs() <= MAX_MAGNITUDE => *slot = number,
                    _ => return Err(wrong_value(&column.name, array, row, before)),
                }
            }
        }
        Ok(())
    }

    /// To be called after the last batch, with how many rows there were.
    ///
    /// # Errors
    /// When a column is of text, although all its values are numbers.
    pub fn finish(&self, rows: u64) -> Result<(), FeatureError> {
        match self.text.first().filter(|_| rows > 0) {
            None => Ok(()),
            Some(name) => Err(FeatureError::Type {
                name: name.clone(),
                kind: "numbers written as text".to_owned(),
                advice: format!("cast it in a prepare step: CAST(\"{name}\" AS DOUBLE)"),
            }),
        }
    }
}

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

fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric() || matches!(data_type, DataType::Boolean)
}

/// A column's values as numbers; null where a value is none.
#[must_use]
pub fn numbers(array: &ArrayRef) -> ArrayRef {
    // A cast of types that were checked cannot fail; nulls would be reported as such.
    cast(array, &DataType::Float64)
        .unwrap_or_else(|_| Arc::new(datafusion::arrow::array::Float64Array::new_null(array.len())))
}

/// A value as a message shows it.
#[must_use]
pub fn shown(array: &ArrayRef, row: usize) -> String {
    let text = array_value_to_string(array, row).unwrap_or_default();
    match text.char_indices().nth(VALUE_SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn wrong_value(name: &str, array: &ArrayRef, row: usize, before: u64) -> FeatureError {
    let without_nulls = format!("leave such rows out in a prepare step: WHERE \"{name}\" IS NOT NULL");
    let (found, advice) = if array.is_null(row) {
        ("is null".to_owned(), without_nulls)
    } else if is_text(value_type(array.data_type())) {
        let found = format!("has the text \"{}\"", shown(array, row));
        (found, "leave it out of the features, or make a number of it in a prepare step".to_owned())
    } else {
        let found = format!("has {}", shown(array, row));
        let advice =
            format!("leave such rows out in a prepare step: WHERE abs(\"{name}\") <= {MAX_MAGNITUDE:e}");
        (found, advice)
    };
    FeatureError::Value { name: name.to_owned(), found, row: before + row as u64 + 1, advice }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{BooleanArray, Float64Array, Int32Array, StringArray};
    use datafusion::arrow::datatypes::{Field, TimeUnit};

    use super::*;

    fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
            .expect("a batch")
    }

    #[test]
    fn numbers_and_booleans_are_read_row_by_row_in_the_order_asked_for() {
        let batch = batch(vec![
            ("a", Arc::new(Int32Array::from(vec![1, 2]))),
            ("b", Arc::new(BooleanArray::from(vec![true, false]))),
            ("c", Arc::new(Float64Array::from(vec![0.5, -0.5]))),
        ]);
        let reader = FeatureReader::new(&batch.schema(), ["c", "b", "a"]).expect("a reader");
        let mut out = vec![9.0];
        reader.read(&batch, 0, &mut out).expect("numbers");
        assert_eq!(out, [0.5, 1.0, 1.0, -0.5, 0.0, 2.0]);
        reader.finish(2).expect("all numbers");
    }

    #[test]
    fn the_first_wrong_value_is_named_with_its_row_over_batches() {
        let good = batch(vec![("a", Arc::new(Float64Array::from(vec![1.0, 2.0])))]);
        for (value, expected) in [
            (
                None,
                "column \"a\" is null in row 4, and features are numbers; leave such rows out in a prepare step: WHERE \"a\" IS NOT NULL",
            ),
            (Some(f64::NAN), "column \"a\" has NaN in row 4"),
            (Some(f64::NEG_INFINITY), "column \"a\" has -inf in row 4"),
            (Some(1e101), "column \"a\" has 1e101 in row 4"),
        ] {
            let bad = batch(vec![("a", Arc::new(Float64Array::from(vec![Some(3.0), value, None])))]);
            let reader = FeatureReader::new(&good.schema(), ["a"]).expect("a reader");
            let mut out = Vec::new();
            reader.read(&good, 0, &mut out).expect("numbers");
            let message = reader.read(&bad, 2, &mut out).expect_err(expected).to_string();
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn text_is_shown_and_numbers_written_as_text_are_told_apart() {
        let rows = batch(vec![("a", Arc::new(StringArray::from(vec!["1.5", "n/a"])))]);
        let reader = FeatureReader::new(&rows.schema(), ["a"]).expect("a reader");
        let message = reader.read(&rows, 0, &mut Vec::new()).expect_err("text").to_string();
        assert!(message.starts_with("column \"a\" has the text \"n/a\" in row 2"), "{message}");
        let rows = batch(vec![("a", Arc::new(StringArray::from(vec!["1.5", "2"])))]);
        let reader = FeatureReader::new(&rows.schema(), ["a"]).expect("a reader");
        reader.read(&rows, 0, &mut Vec::new()).expect("numbers so far");
        assert!(reader.finish(2).expect_err("text").to_string().contains("CAST(\"a\" AS DOUBLE)"));
    }

    #[test]
    fn missing_columns_and_times_are_refused_before_any_row() {
        let schema = Schema::new(vec![
            Field::new("a", DataType::Float64, true),
            Field::new("t", DataType::Timestamp(TimeUnit::Second, None), true),
        ]);
        let message = FeatureReader::new(&schema, ["b"]).expect_err("missing").to_string();
        assert_eq!(message, "column \"b\" not found; columns are a, t");
        assert!(FeatureReader::new(&schema, ["t"]).expect_err("times").to_string().contains("holds times"));
    }
}
