//! Values that JSON cannot hold: found before they are written, since the writer would write null or an error's text instead.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, OffsetSizeTrait, RecordBatch};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float16Type, Float32Type, Float64Type};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

use super::map_keys::repeated_key;
use crate::column_words::type_words;

/// Refuses rows with a number that is not finite, a date or time that has no text, or a map that has a key twice.
///
/// # Errors
/// Names the column and the row, counted from 1 in this batch with `before` rows before it.
pub(crate) fn refuse_unwritable(batch: &RecordBatch, before: u64) -> Result<(), String> {
    let schema = batch.schema();
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        if let Some((row, problem)) = unwritable(column) {
            return Err(format!("column \"{}\", row {}: {problem}", field.name(), before + row as u64 + 1));
        }
    }
    Ok(())
}

/// The first row with a value that JSON cannot hold, and what is wrong with it.
fn unwritable(column: &ArrayRef) -> Option<(usize, String)> {
    let not_finite = |found: Option<(usize, f64)>| {
        found.map(|(row, value)| {
            (
                row,
                format!(
                    "{value} cannot be written as JSON; make it null with CASE WHEN abs(x) < 1e308 THEN x END"
                ),
            )
        })
    };
    match column.data_type() {
        DataType::Float64 => not_finite(first_not_finite(column.as_primitive::<Float64Type>().iter())),
        DataType::Float32 => not_finite(first_not_finite(
            column.as_primitive::<Float32Type>().iter().map(|value| value.map(f64::from)),
        )),
        DataType::Float16 => not_finite(first_not_finite(
            column.as_primitive::<Float16Type>().iter().map(|value| value.map(f64::from)),
        )),
        DataType::Struct(_) => {
            let parts = column.as_struct();
            parts.columns().iter().filter_map(unwritable).min_by_key(|(row, _)| *row)
        }
        DataType::List(_) => {
            let list = column.as_list::<i32>();
            in_list(list.values(), list.value_offsets(), list.nulls())
        }
        DataType::LargeList(_) => {
            let list = column.as_list::<i64>();
            in_list(list.values(), list.value_offsets(), list.nulls())
        }
        DataType::Map(..) => {
            let map = column.as_map();
            let entries: ArrayRef = Arc::new(map.entries().clone());
            let within = in_list(&entries, map.value_offsets(), map.nulls());
            repeated_key(map).into_iter().chain(within).min_by_key(|(row, _)| *row)
        }
        DataType::FixedSizeList(_, length) => {
            let list = column.as_fixed_size_list();
            let length = usize::try_from(*length).unwrap_or_default().max(1);
            let (item, problem) = unwritable(list.values())?;
            Some((item / length, problem)).filter(|(row, _)| list.is_valid(*row))
        }
        DataType::Dictionary(_, values) => unwritable(&cast(column, values).ok()?),
        DataType::ListView(item) => unwritable(&cast(column, &DataType::List(Arc::clone(item))).ok()?),
        DataType::LargeListView(item) => {
            unwritable(&cast(column, &DataType::LargeList(Arc::clone(item))).ok()?)
        }
        DataType::RunEndEncoded(_, values) => unwritable(&cast(column, values.data_type()).ok()?),
        _ if temporal_text_is_safe(column) => None,
        _ => {
            let strict = FormatOptions::new().with_display_error(false);
            let texts = ArrayFormatter::try_new(column, &strict).ok()?;
            let row = (0..column.len()).find(|row| texts.value(*row).try_to_string().is_err())?;
            Some((
                row,
                format!(
                    "its value has no text as {}; cast it to another type",
                    type_words(column.data_type())
                ),
            ))
        }
    }
}

/// The first row of lists with such an item, by where each row's items begin and end. A null row may have items of its own, which are
/// not written.
fn in_list<O: OffsetSizeTrait>(
    items: &ArrayRef,
    offsets: &[O],
    nulls: Option<&NullBuffer>,
) -> Option<(usize, String)> {
    let rows =
        offsets.windows(2).enumerate().filter(|(row, _)| nulls.is_none_or(|nulls| nulls.is_valid(*row)));
    let mut rows = rows.filter_map(|(row, ends)| match ends {
        [start, end] => Some((row, start.as_usize(), end.as_usize())),
        _ => None,
    });
    // Most lists are all writable, which is found in one go.
    unwritable(items)?;
    rows.find_map(|(row, start, end)| {
        unwritable(&items.slice(start, end - start)).map(|(_, problem)| (row, problem))
    })
}

fn first_not_finite(values: impl Iterator<Item = Option<f64>>) -> Option<(usize, f64)> {
    values.enumerate().find_map(|(row, value)| Some((row, value?)).filter(|(_, value)| !value.is_finite()))
}

/// Whether every value of a column surely has a text: all types but dates, times and durations, of which those far from now
/// have none.
fn temporal_text_is_safe(column: &ArrayRef) -> bool {
    !matches!(
        column.data_type(),
        DataType::Date32
            | DataType::Date64
            | DataType::Timestamp(..)
            | DataType::Time32(_)
            | DataType::Time64(_)
            | DataType::Duration(_)
    )
}
