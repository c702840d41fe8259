//! The features of batch after batch, as rows of numbers.

use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type, Schema};

use super::error::FeatureError;
use super::values::{
    as_text, column_names, is_number, is_text, is_time, kind_name, milliseconds, numbers, shown, value_type,
};
use crate::preprocess::{Form, Input, RawRows, TIME_RANGE};

/// The largest absolute value that can be computed with: squares and sums of such values are still finite.
pub const MAX_MAGNITUDE: f64 = 1e100;

/// How many rows are filled in column by column before the next ones are.
const CACHED_ROWS: usize = 256;

/// Reads the features of batch after batch.
#[derive(Debug)]
pub struct FeatureReader {
    columns: Vec<Column>,
}

#[derive(Debug)]
struct Column {
    input: Input,
    index: usize,
    /// Whether a text was met that is a number: each row whose text is none is an error already.
    has_number_as_text: AtomicBool,
}

impl FeatureReader {
    /// A reader of these columns, in this order.
    ///
    /// # Errors
    /// When a column is not there, or is of a type that holds no values of the form asked for. Columns of text that should be
    /// numbers are looked at row by row, to show the value that is not a number.
    pub fn new(schema: &Schema, inputs: impl IntoIterator<Item = Input>) -> Result<Self, FeatureError> {
        let mut columns = Vec::new();
        for input in inputs {
            let Some((index, field)) = schema.column_with_name(&input.name) else {
                return Err(FeatureError::NotFound { name: input.name, columns: column_names(schema) });
            };
            let data_type = value_type(field.data_type());
            check_type(&input, data_type)?;
            columns.push(Column { input, index, has_number_as_text: AtomicBool::new(false) });
        }
        Ok(Self { columns })
    }

    /// Writes the batch's features to `out`, row by row, replacing the numbers that were there; texts and counts are added to.
    /// `before` is how many rows came before it.
    ///
    /// # Errors
    /// For the first value of a column, in the columns' order, that is not of the column's form, or is missing where none may be.
    pub fn read(&self, batch: &RecordBatch, before: u64, out: &mut RawRows) -> Result<(), FeatureError> {
        let (rows, width) = (batch.num_rows(), self.columns.len());
        out.numbers.clear();
        out.numbers.resize(rows * width, f64::NAN);
        let plain = self.read_plain(batch, &mut out.numbers);
        let sinks = out.texts.iter_mut().zip(&mut out.missing);
        for ((place, column), (texts, missing)) in self.columns.iter().enumerate().zip(sinks) {
            if plain.get(place).is_some_and(|is_plain| *is_plain) {
                continue;
            }
            let array = batch.column(column.index);
            let nulls = array.logical_nulls();
            let is_null = |row| nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
            let slots = out.numbers.iter_mut().skip(place).step_by(width.max(1));
            let wrong = |row| wrong_value(&column.input, array, row, before);
            let values = match column.input.form {
                Form::Number => numbers(array),
                Form::Text => {
                    let values = as_text(array, &column.input.spelling).ok_or_else(|| wrong(0))?;
                    for (row, (value, slot)) in values.as_string::<i32>().iter().zip(slots).enumerate() {
                        match value {
                            Some(text) => *slot = f64::from(texts.place(text)),
                            None if column.input.optional && (is_null(row) || is_nan(array, row)) => {
                                *missing += 1;
                            }
                            None => return Err(wrong(row)),
                        }
                    }
                    continue;
                }
                Form::Time => milliseconds(array),
            };
            let is_time = column.input.form == Form::Time;
            if column.input.form == Form::Number
                && is_text(value_type(array.data_type()))
                && nulls.as_ref().map_or(0, NullBuffer::null_count) < rows
            {
                column.has_number_as_text.store(true, Ordering::Relaxed);
            }
            for (row, (slot, number)) in slots.zip(values.as_primitive::<Float64Type>().iter()).enumerate() {
                match number {
                    Some(time) if is_time && TIME_RANGE.contains(&(time as i64)) => *slot = time,
                    Some(number) if !is_time && number.abs() <= MAX_MAGNITUDE => *slot = number,
                    Some(number) if number.is_nan() && column.input.optional => {
                        *slot = f64::NAN;
                        *missing += 1;
                    }
                    None if column.input.optional && is_null(row) => *missing += 1,
                    _ => return Err(wrong(row)),
                }
            }
        }
        Ok(())
    }

    /// Writes the columns of numbers of which every one can be computed with, some rows of all columns at a time, so that these stay in
    /// the processor's cache. Says which columns are written; what is left in the others means nothing.
    fn read_plain(&self, batch: &RecordBatch, out: &mut [f64]) -> Vec<bool> {
        let values = self.columns.iter().map(|column| {
            let array = (column.input.form == Form::Number).then(|| numbers(batch.column(column.index)));
            array.filter(|values| values.null_count() == 0)
        });
        let values: Vec<Option<ArrayRef>> = values.collect();
        let width = values.len().max(1);
        let mut are_plain: Vec<bool> = values.iter().map(Option::is_some).collect();
        for (first, rows) in (0..).step_by(CACHED_ROWS).zip(out.chunks_mut(CACHED_ROWS * width)) {
            for ((place, values), is_plain) in values.iter().enumerate().zip(&mut are_plain) {
                let Some(values) = values else { continue };
                let values = values.as_primitive::<Float64Type>().values().iter().skip(first);
                for (slot, number) in rows.iter_mut().skip(place).step_by(width).zip(values) {
                    // Not a number is not below anything.
                    *is_plain &= number.abs() <= MAX_MAGNITUDE;
                    *slot = *number;
                }
            }
        }
        are_plain
    }

    /// To be called after the last batch, with how many rows there were.
    ///
    /// # Errors
    /// When a column that should be numbers is of text, although all its values are numbers.
    pub fn finish(&self, rows: u64) -> Result<(), FeatureError> {
        let has_text = |column: &&Column| column.has_number_as_text.load(Ordering::Relaxed);
        match self.columns.iter().find(has_text).filter(|_| rows > 0) {
            None => Ok(()),
            Some(Column { input: Input { name, .. }, .. }) => Err(FeatureError::Type {
                name: name.clone(),
                kind: "numbers written as text".to_owned(),
                expected: "this feature is a number",
                advice: format!("cast it in a prepare step: CAST(\"{name}\" AS DOUBLE)"),
            }),
        }
    }
}

/// Whether a type can hold values of an input's form. Columns of nulls alone are of no type.
fn check_type(input: &Input, data_type: &DataType) -> Result<(), FeatureError> {
    let (fits, expected) = match input.form {
        Form::Number => (
            is_number(data_type) || is_text(data_type),
            "features are numbers, booleans, texts, dates or times",
        ),
        Form::Text => {
            (is_text(data_type) || is_number(data_type), "this feature is a text, whole number or boolean")
        }
        Form::Time => (is_time(data_type) || is_text(data_type), "this feature is a date or time"),
    };
    if fits || matches!(data_type, DataType::Null) {
        return Ok(());
    }
    Err(FeatureError::Type {
        name: input.name.clone(),
        kind: kind_name(data_type),
        expected,
        advice: "leave it out of the features, or change it in a prepare step".to_owned(),
    })
}

/// Whether a value of a column of numbers is NaN.
fn is_nan(array: &ArrayRef, row: usize) -> bool {
    array.as_primitive_opt::<Float64Type>().is_some_and(|values| values.value(row).is_nan())
        || array.as_primitive_opt::<Float32Type>().is_some_and(|values| values.value(row).is_nan())
}

fn wrong_value(input: &Input, array: &ArrayRef, row: usize, before: u64) -> FeatureError {
    let name = &input.name;
    let expected = match input.form {
        Form::Number => "this feature is a number",
        Form::Text => "this feature is a text",
        Form::Time => "this feature is a date or time of the years 1 to 9999",
    };
    let (found, advice) = if array.logical_nulls().is_some_and(|nulls| nulls.is_null(row)) {
        let advice = format!("leave such rows out in a prepare step: WHERE \"{name}\" IS NOT NULL");
        ("is null".to_owned(), advice)
    } else if is_text(value_type(array.data_type())) {
        let advice = match input.form {
            Form::Time => {
                "reading.dateFormat says how a file's dates are written, or change it in a prepare step"
            }
            Form::Number | Form::Text => "leave it out of the features, or change it in a prepare step",
        };
        (format!("has the text \"{}\"", shown(array, row)), advice.to_owned())
    } else {
        let advice = match input.form {
            Form::Text => format!(
                "whole numbers can be texts; take it as a number, or cast it in a prepare step: CAST(\"{name}\" AS VARCHAR)"
            ),
            Form::Number | Form::Time => {
                format!("leave such rows out in a prepare step: WHERE abs(\"{name}\") <= {MAX_MAGNITUDE:e}")
            }
        };
        (format!("has {}", shown(array, row)), advice)
    };
    FeatureError::Value { name: name.to_owned(), found, row: before + row as u64 + 1, expected, advice }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{BooleanArray, Float64Array, Int32Array, NullArray, StringArray};
    use datafusion::arrow::datatypes::{Field, TimeUnit};

    use super::*;
    use crate::preprocess::Spelling;

    fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
            .expect("a batch")
    }

    fn inputs<const N: usize>(names: [&str; N], form: Form, optional: bool) -> [Input; N] {
        names.map(|name| Input { name: name.to_owned(), form, optional, spelling: Spelling::default() })
    }

    fn reader(schema: &Schema, name: &str, form: Form, optional: bool) -> FeatureReader {
        FeatureReader::new(schema, inputs([name], form, optional)).expect("a reader")
    }

    #[test]
    fn numbers_and_booleans_are_read_row_by_row_in_the_order_asked_for() {
        let batch = batch(vec![
            ("a", Arc::new(Int32Array::from(vec![1, 2]))),
            ("b", Arc::new(BooleanArray::from(vec![true, false]))),
            ("c", Arc::new(Float64Array::from(vec![0.5, -0.5]))),
        ]);
        let inputs = inputs(["c", "b", "a"], Form::Number, false);
        let reader = FeatureReader::new(&batch.schema(), inputs).expect("a reader");
        let mut out = RawRows::new(3);
        out.numbers.push(9.0);
        reader.read(&batch, 0, &mut out).expect("numbers");
        assert_eq!(out.numbers, [0.5, 1.0, 1.0, -0.5, 0.0, 2.0]);
        reader.finish(2).expect("all numbers");
    }

    #[test]
    fn many_rows_are_read_as_each_of_them_alone() {
        let rows = 2 * CACHED_ROWS as i32 + 3;
        let batch = batch(vec![
            ("a", Arc::new(Int32Array::from_iter_values(0..rows))),
            (
                "b",
                Arc::new(Float64Array::from_iter(
                    (0..rows).map(|row| (row % 7 > 0).then(|| f64::from(row) / 4.0)),
                )),
            ),
            ("c", Arc::new(Float64Array::from_iter_values((0..rows).map(|row| 1.0 / f64::from(row % 5))))),
            ("d", Arc::new(Float64Array::from_iter_values((0..rows).map(|row| f64::from(row) * 0.1)))),
        ]);
        for width in 1..=3 {
            let names = ["d", "b", "a"].into_iter().take(width);
            let inputs = names.map(|name| Input {
                name: name.to_owned(),
                form: Form::Number,
                optional: true,
                spelling: Spelling::default(),
            });
            let reader = FeatureReader::new(&batch.schema(), inputs).expect("a reader");
            let (mut whole, mut alone, mut one) = (RawRows::new(width), Vec::new(), RawRows::new(width));
            reader.read(&batch, 0, &mut whole).expect("numbers");
            for row in 0..rows as usize {
                reader.read(&batch.slice(row, 1), 0, &mut one).expect("numbers");
                alone.extend(one.numbers.iter().map(|number| number.to_bits()));
            }
            assert_eq!(whole.numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>(), alone);
            assert_eq!(whole.missing, one.missing);
        }
        let infinite = reader(&batch.schema(), "c", Form::Number, true);
        let message =
            infinite.read(&batch, 0, &mut RawRows::new(1)).expect_err("a division by zero").to_string();
        assert!(message.starts_with("column \"c\" has inf in row 1"), "{message}");
    }

    #[test]
    fn a_column_of_nulls_alone_is_missing_whatever_its_type() {
        for column in [
            Arc::new(NullArray::new(2)) as ArrayRef,
            Arc::new(StringArray::from(vec![None::<&str>, None])),
            Arc::new(Float64Array::from(vec![None, None])),
        ] {
            for form in [Form::Number, Form::Text, Form::Time] {
                if form == Form::Time && column.data_type() == &DataType::Float64 {
                    continue;
                }
                let batch = batch(vec![("a", Arc::clone(&column))]);
                let optional = reader(&batch.schema(), "a", form, true);
                let mut out = RawRows::new(1);
                optional.read(&batch, 0, &mut out).expect("missing values");
                optional.finish(2).expect("no number is written as text");
                assert_eq!(out.missing, [2], "{form:?} {column:?}");
                assert!(out.numbers.iter().all(|number| number.is_nan()));
                let required = reader(&batch.schema(), "a", form, false);
                let message = required.read(&batch, 0, &mut RawRows::new(1)).expect_err("a null").to_string();
                assert!(message.starts_with("column \"a\" is null in row 1"), "{message}");
            }
        }
    }

    #[test]
    fn missing_values_are_counted_where_they_may_be() {
        let numbers: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.0), None, Some(f64::NAN)]));
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), None, Some("x")]));
        let batch = batch(vec![("n", numbers), ("t", texts)]);
        for (name, form, expected) in [("n", Form::Number, 2), ("t", Form::Text, 1)] {
            let mut out = RawRows::new(1);
            reader(&batch.schema(), name, form, true).read(&batch, 0, &mut out).expect("values");
            assert_eq!(out.missing, [expected], "{name}");
            assert_eq!(out.numbers.iter().filter(|number| number.is_nan()).count() as u64, expected);
        }
        let required = reader(&batch.schema(), "t", Form::Text, false);
        let message = required.read(&batch, 0, &mut RawRows::new(1)).expect_err("a null").to_string();
        assert!(message.starts_with("column \"t\" is null in row 2"), "{message}");
    }

    #[test]
    fn whole_numbers_can_be_texts_and_texts_times() {
        let codes: ArrayRef = Arc::new(Int32Array::from(vec![7, 8, 7]));
        let days: ArrayRef = Arc::new(StringArray::from(vec!["1970-01-02", "1970-01-01 01:00:00", "soon"]));
        let batch = batch(vec![("code", codes), ("day", days)]);
        let mut out = RawRows::new(1);
        reader(&batch.schema(), "code", Form::Text, false).read(&batch, 0, &mut out).expect("texts");
        assert_eq!(out.numbers, [0.0, 1.0, 0.0]);
        assert_eq!(out.texts[0].iter().collect::<Vec<_>>(), ["7", "8"]);
        let days = reader(&batch.schema(), "day", Form::Time, true);
        let message = days.read(&batch, 0, &mut RawRows::new(1)).expect_err("no time").to_string();
        assert!(message.starts_with("column \"day\" has the text \"soon\" in row 3"), "{message}");
        days.read(&batch.slice(0, 2), 0, &mut out).expect("times");
        assert_eq!(out.numbers, [86_400_000.0, 3_600_000.0]);
    }

    #[test]
    fn codes_with_holes_are_texts_of_whole_numbers_and_booleans_are_spelled_as_the_texts_are() {
        let codes: ArrayRef = Arc::new(Float64Array::from(vec![Some(3.0), None, Some(f64::NAN), Some(-5.0)]));
        let codes = batch(vec![("code", codes)]);
        let mut out = RawRows::new(1);
        reader(&codes.schema(), "code", Form::Text, true).read(&codes, 0, &mut out).expect("texts");
        assert_eq!(out.texts[0].iter().collect::<Vec<_>>(), ["3", "-5"]);
        assert_eq!(out.missing, [2]);
        let halves = batch(vec![("code", Arc::new(Float64Array::from(vec![3.0, 2.5])))]);
        let refused = reader(&halves.schema(), "code", Form::Text, true).read(&halves, 0, &mut out);
        let message = refused.expect_err("no whole number").to_string();
        assert!(
            message.starts_with("column \"code\" has 2.5 in row 2") && message.contains("AS VARCHAR"),
            "{message}"
        );

        let flags = batch(vec![("flag", Arc::new(BooleanArray::from(vec![true, false])))]);
        let spelling = Spelling::among(["UNKNOWN", "TRUE"].into_iter());
        let input = Input { name: "flag".to_owned(), form: Form::Text, optional: false, spelling };
        let mut out = RawRows::new(1);
        FeatureReader::new(&flags.schema(), [input])
            .expect("a reader")
            .read(&flags, 0, &mut out)
            .expect("texts");
        assert_eq!(out.texts[0].iter().collect::<Vec<_>>(), ["TRUE", "false"]);
    }

    #[test]
    fn the_first_wrong_value_is_named_with_its_row_over_batches() {
        let good = batch(vec![("a", Arc::new(Float64Array::from(vec![1.0, 2.0])))]);
        for (value, expected) in [
            (
                None,
                "column \"a\" is null in row 4, and this feature is a number; leave such rows out in a prepare step: WHERE \"a\" IS NOT NULL",
            ),
            (Some(f64::NAN), "column \"a\" has NaN in row 4"),
            (Some(f64::NEG_INFINITY), "column \"a\" has -inf in row 4"),
            (Some(1e101), "column \"a\" has 1e101 in row 4"),
        ] {
            let bad = batch(vec![("a", Arc::new(Float64Array::from(vec![Some(3.0), value, None])))]);
            let reader = reader(&good.schema(), "a", Form::Number, false);
            let mut out = RawRows::new(1);
            reader.read(&good, 0, &mut out).expect("numbers");
            let message = reader.read(&bad, 2, &mut out).expect_err(expected).to_string();
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn text_is_shown_and_numbers_written_as_text_are_told_apart() {
        let rows = batch(vec![("a", Arc::new(StringArray::from(vec!["1.5", "n/a"])))]);
        let number = reader(&rows.schema(), "a", Form::Number, false);
        let message = number.read(&rows, 0, &mut RawRows::new(1)).expect_err("text").to_string();
        assert!(message.starts_with("column \"a\" has the text \"n/a\" in row 2"), "{message}");
        let rows = batch(vec![("a", Arc::new(StringArray::from(vec!["1.5", "2"])))]);
        number.read(&rows, 0, &mut RawRows::new(1)).expect("numbers so far");
        assert!(number.finish(2).expect_err("text").to_string().contains("CAST(\"a\" AS DOUBLE)"));
    }

    #[test]
    fn missing_columns_and_types_of_another_form_are_refused_before_any_row() {
        let schema = Schema::new(vec![
            Field::new("a", DataType::Float64, true),
            Field::new("t", DataType::Timestamp(TimeUnit::Second, None), true),
        ]);
        let refused = |name, form| {
            FeatureReader::new(&schema, inputs([name], form, true)).expect_err("refused").to_string()
        };
        assert_eq!(refused("b", Form::Number), "column \"b\" not found; columns are a, t");
        assert!(refused("t", Form::Number).contains("holds times"));
        assert!(refused("t", Form::Text).contains("holds times"));
        assert!(refused("a", Form::Time).contains("holds numbers"));
    }
}
