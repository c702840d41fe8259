//! The features of batch after batch, as rows of numbers.

use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type, Schema};

use super::error::FeatureError;
use super::values::{
    as_text, booleans, column_names, is_number, is_text, is_time, kind_name, milliseconds, numbers, shown,
    value_type,
};
use crate::model::MAX_MAGNITUDE;
use crate::preprocess::{Form, Input, RawRows, TIME_RANGE};

/// How many rows are filled in column by column before the next ones are.
const CACHED_ROWS: usize = 256;

/// Reads the features of batch after batch.
#[derive(Debug)]
pub struct FeatureReader {
    columns: Vec<Column>,
    /// The largest absolute value of a number.
    largest: f64,
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
        Ok(Self { columns, largest: MAX_MAGNITUDE })
    }

    /// The same, where numbers are at most `largest` from zero: a model may have no answer for larger ones.
    #[must_use]
    pub fn within(self, largest: f64) -> Self {
        Self { largest, ..self }
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
            let wrong = |row| wrong_value(&column.input, self.largest, array, row, before);
            let values = match column.input.form {
                Form::Number => numbers(array),
                Form::Boolean => booleans(array),
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
                    Some(number) if !is_time && number.abs() <= self.largest => *slot = number,
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
            let array = batch.column(column.index);
            let is_plain = match column.input.form {
                Form::Number => true,
                Form::Boolean => matches!(array.data_type(), DataType::Boolean),
                Form::Text | Form::Time => false,
            };
            is_plain.then(|| numbers(array)).filter(|values| values.null_count() == 0)
        });
        let values: Vec<Option<ArrayRef>> = values.collect();
        let (width, largest) = (values.len().max(1), self.largest);
        let mut are_plain: Vec<bool> = values.iter().map(Option::is_some).collect();
        for (first, rows) in (0..).step_by(CACHED_ROWS).zip(out.chunks_mut(CACHED_ROWS * width)) {
            for ((place, values), is_plain) in values.iter().enumerate().zip(&mut are_plain) {
                let Some(values) = values else { continue };
                let values = values.as_primitive::<Float64Type>().values().iter().skip(first);
                for (slot, number) in rows.iter_mut().skip(place).step_by(width).zip(values) {
                    // Not a number is not below anything.
                    *is_plain &= number.abs() <= largest;
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
                expected: "a number is expected",
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
        Form::Boolean => (is_number(data_type) || is_text(data_type), "true and false are expected"),
        Form::Text => {
            (is_text(data_type) || is_number(data_type), "texts, whole numbers or booleans are expected")
        }
        Form::Time => (is_time(data_type) || is_text(data_type), "dates or times are expected"),
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

fn wrong_value(input: &Input, largest: f64, array: &ArrayRef, row: usize, before: u64) -> FeatureError {
    let name = &input.name;
    let expected = match input.form {
        Form::Number => "a number is expected",
        Form::Boolean => "true or false is expected, or 1 or 0",
        Form::Text => "a text is expected",
        Form::Time => "a date or time of the years 1 to 9999 is expected",
    };
    let (found, advice) = if array.logical_nulls().is_some_and(|nulls| nulls.is_null(row)) {
        let advice = format!("leave such rows out in a prepare step: WHERE \"{name}\" IS NOT NULL");
        ("is null".to_owned(), advice)
    } else if is_text(value_type(array.data_type())) {
        let advice = match input.form {
            Form::Time => {
                "reading.dateFormat says how a file's dates are written, or change it in a prepare step"
            }
            Form::Number | Form::Boolean | Form::Text => {
                "leave it out of the features, or change it in a prepare step"
            }
        };
        (format!("has the text \"{}\"", shown(array, row)), advice.to_owned())
    } else {
        let advice = match input.form {
            Form::Text => format!(
                "whole numbers can be texts; take it as a number, or cast it in a prepare step: CAST(\"{name}\" AS VARCHAR)"
            ),
            Form::Boolean => {
                format!(
                    "the model learned from true and false: compare in a prepare step, as in \"{name}\" <> 0"
                )
            }
            Form::Number | Form::Time => {
                format!("leave such rows out in a prepare step: WHERE abs(\"{name}\") <= {largest:e}")
            }
        };
        (format!("has {}", shown(array, row)), advice)
    };
    FeatureError::Value { name: name.to_owned(), found, row: before + row as u64 + 1, expected, advice }
}

#[cfg(test)]
mod tests;
