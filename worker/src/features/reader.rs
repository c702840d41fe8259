//! The features of batch after batch, as rows of numbers.

use std::collections::BTreeSet;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Float64Type, Schema};

use super::error::FeatureError;
use super::values::{column_names, is_number, is_text, kind_name, numbers, shown, value_type};

/// The largest absolute value that can be computed with: squares and sums of such values are still finite.
pub const MAX_MAGNITUDE: f64 = 1e100;

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
    use std::sync::Arc;

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
