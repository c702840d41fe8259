//! Arrow columns as rows of a COPY in its text format: fields apart by tabs, `\N` for null.

use std::fmt::Write;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

/// Writes rows of one batch.
pub(super) struct CopyText<'a> {
    columns: Vec<Column<'a>>,
}

enum Column<'a> {
    Text(&'a datafusion::arrow::array::StringArray),
    Bytes(&'a datafusion::arrow::array::BinaryArray),
    Other(&'a ArrayRef, ArrayFormatter<'a>),
}

/// The batch with text and bytes in the one form that [`CopyText`] knows, dictionaries resolved.
pub(super) fn plain(batch: &RecordBatch) -> Result<Vec<ArrayRef>, ArrowError> {
    let columns = batch.columns().iter().map(|column| match writable(column.data_type()) {
        Some(data_type) if data_type != *column.data_type() => cast(column, &data_type),
        _ => Ok(ArrayRef::clone(column)),
    });
    columns.collect()
}

fn writable(data_type: &DataType) -> Option<DataType> {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(DataType::Utf8),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Some(DataType::Binary),
        // As a date it has no time of day, which PostgreSQL would not take.
        DataType::Date64 => Some(DataType::Date32),
        DataType::Dictionary(_, values) => writable(values).or_else(|| Some(values.as_ref().clone())),
        _ => None,
    }
}

impl<'a> CopyText<'a> {
    /// For columns that [`plain`] made.
    pub(super) fn new(columns: &'a [ArrayRef], options: &'a FormatOptions<'a>) -> Result<Self, ArrowError> {
        let columns = columns.iter().map(|column| {
            Ok(match column.data_type() {
                DataType::Utf8 => Column::Text(column.as_string()),
                DataType::Binary => Column::Bytes(column.as_binary()),
                _ => Column::Other(column, ArrayFormatter::try_new(column.as_ref(), options)?),
            })
        });
        Ok(Self { columns: columns.collect::<Result<_, ArrowError>>()? })
    }

    /// Adds a row to the text.
    pub(super) fn add(&self, row: usize, text: &mut String) -> std::fmt::Result {
        for (index, column) in self.columns.iter().enumerate() {
            if index > 0 {
                text.push('\t');
            }
            match column {
                Column::Text(array) if array.is_valid(row) => escape(array.value(row), text),
                Column::Bytes(array) if array.is_valid(row) => {
                    text.push_str("\\\\x");
                    array.value(row).iter().try_for_each(|byte| write!(text, "{byte:02x}"))?;
                }
                Column::Other(array, formatter) if array.is_valid(row) => {
                    write!(text, "{}", formatter.value(row))?;
                }
                _ => text.push_str("\\N"),
            }
        }
        text.push('\n');
        Ok(())
    }
}

fn escape(value: &str, text: &mut String) {
    let mut rest = value;
    while let Some(at) = rest.find(['\\', '\t', '\n', '\r']) {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        let mut signs = from.chars();
        text.push_str(match signs.next() {
            Some('\t') => "\\t",
            Some('\n') => "\\n",
            Some('\r') => "\\r",
            _ => "\\\\",
        });
        rest = signs.as_str();
    }
    text.push_str(rest);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{BinaryArray, BooleanArray, Float64Array, StringArray};

    use super::*;

    #[test]
    fn null_is_apart_from_empty_text_and_signs_are_escaped() {
        let columns: [(&str, ArrayRef); 4] = [
            ("text", Arc::new(StringArray::from(vec![Some(""), None, Some("a\tb\\N\r\né")]))),
            ("number", Arc::new(Float64Array::from(vec![Some(1.5), None, Some(f64::NAN)]))),
            ("flag", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
            ("bytes", Arc::new(BinaryArray::from(vec![Some(b"\x00\xff".as_slice()), None, Some(b"")]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).expect("a batch");
        let columns = plain(&batch).expect("plain columns");
        let options = FormatOptions::new();
        let writer = CopyText::new(&columns, &options).expect("a writer");
        let mut text = String::new();
        for row in 0..3 {
            writer.add(row, &mut text).expect("a row");
        }
        assert_eq!(
            text,
            "\t1.5\ttrue\t\\\\x00ff\n\\N\t\\N\t\\N\t\\N\na\\tb\\\\N\\r\\né\tNaN\tfalse\t\\\\x\n"
        );
    }
}
