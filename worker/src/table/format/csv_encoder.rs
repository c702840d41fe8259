//! Rows as CSV, a batch at a time, on any thread: RFC 4180, a line feed behind each row, quotes only where they are needed.
//!
//! Owns the text of every value, which is the one that Arrow displays, and quotes. Must not know where the bytes go.

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, GenericStringArray, OffsetSizeTrait, RecordBatch, StringArray,
};
use datafusion::arrow::buffer::{NullBuffer, ScalarBuffer};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

use super::BatchEncoder;
use super::empty_texts::EmptyTexts;
use super::number_text::{ShortDecimals, append_integer};
use crate::table::encode_error::EncodeError;

/// The bytes that a field is guessed to have, to make room once for a batch.
const FIELD_BYTES: usize = 12;

/// Rows as CSV.
pub(super) struct CsvEncoder {
    schema: SchemaRef,
    empties: EmptyTexts,
}

impl CsvEncoder {
    pub(super) fn new(schema: SchemaRef) -> Self {
        let empties = EmptyTexts::new(&schema);
        Self { schema, empties }
    }
}

impl BatchEncoder for CsvEncoder {
    fn head(&self, out: &mut Vec<u8>) {
        let fields = self.schema.fields();
        for (index, field) in fields.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            let name = field.name();
            // At the start of the file it would be a byte order mark of the file's own.
            if index == 0 && name.starts_with('\u{feff}') && !needs_quotes(name.as_bytes()) {
                out.extend_from_slice(format!("\"{name}\"").as_bytes());
            } else {
                append_text(name.as_bytes(), out);
            }
        }
        end_row(fields.len(), 0, out);
    }

    fn encode(&self, batch: &RecordBatch, before: u64, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.empties.look(batch);
        let mut columns: Vec<Column<'_>> =
            batch.columns().iter().map(Column::new).collect::<Result<_, _>>()?;
        out.reserve(batch.num_rows() * columns.len() * FIELD_BYTES);
        for row in 0..batch.num_rows() {
            let start = out.len();
            for (index, column) in columns.iter_mut().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                if column.nulls.is_none_or(|nulls| nulls.is_valid(row)) {
                    column
                        .values
                        .append(row, out)
                        .map_err(|error| self.unwritable(index, before + row as u64, &error))?;
                }
            }
            end_row(columns.len(), start, out);
        }
        Ok(())
    }

    fn warning(&self) -> Option<String> {
        self.empties.warning(&self.schema)
    }
}

impl CsvEncoder {
    /// The error for a value that has no text.
    fn unwritable(&self, column: usize, row: u64, error: &ArrowError) -> EncodeError {
        let name = self.schema.fields().get(column).map_or("", |field| field.name().as_str());
        let problem = match error {
            ArrowError::CastError(problem) => problem.clone(),
            other => other.to_string(),
        };
        EncodeError::Value(format!(
            "column \"{name}\", row {}: its value has no text: {problem}; cast it to another type",
            row + 1
        ))
    }
}

/// Ends a row that begins at a byte. One empty field is quoted, so that the line is not blank.
fn end_row(columns: usize, start: usize, out: &mut Vec<u8>) {
    if columns == 1 && out.len() == start {
        out.extend_from_slice(b"\"\"");
    }
    out.push(b'\n');
}

/// A column of a batch.
struct Column<'a> {
    values: Values<'a>,
    nulls: Option<&'a NullBuffer>,
}

enum Values<'a> {
    Integers(&'a ScalarBuffer<i64>),
    Numbers {
        values: &'a ScalarBuffer<f64>,
        decimals: ShortDecimals,
        others: Shown<'a>,
    },
    Booleans(&'a BooleanArray),
    /// Texts of which none needs quotes.
    Plain(&'a StringArray),
    Texts(&'a StringArray),
    Others(Shown<'a>),
}

/// Values of any type as Arrow displays them.
struct Shown<'a> {
    formatter: ArrayFormatter<'a>,
    text: String,
}

impl<'a> Column<'a> {
    fn new(array: &'a ArrayRef) -> Result<Self, ArrowError> {
        let values = match array.data_type() {
            DataType::Int64 => Values::Integers(array.as_primitive::<Int64Type>().values()),
            DataType::Float64 => Values::Numbers {
                values: array.as_primitive::<Float64Type>().values(),
                decimals: ShortDecimals::new(),
                others: Shown::new(array)?,
            },
            DataType::Boolean => Values::Booleans(array.as_boolean()),
            DataType::Utf8 => {
                let texts = array.as_string::<i32>();
                if needs_quotes(all_bytes(texts)) { Values::Texts(texts) } else { Values::Plain(texts) }
            }
            _ => Values::Others(Shown::new(array)?),
        };
        // Which values of other arrays are null, their own formatter knows: those of dictionaries are in two places.
        let nulls = if matches!(values, Values::Others(_)) { None } else { array.nulls() };
        Ok(Self { values, nulls })
    }
}

impl Values<'_> {
    /// Appends the text of a value that is not null.
    fn append(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        match self {
            Self::Integers(values) => append_integer(values.get(row).copied().unwrap_or_default(), out),
            Self::Numbers { values, decimals, others } => {
                let number = values.get(row).copied().unwrap_or_default();
                if !decimals.append(number, out) {
                    return others.append(row, out);
                }
            }
            Self::Booleans(values) => {
                out.extend_from_slice(if values.value(row) { b"true" } else { b"false" })
            }
            Self::Plain(values) => out.extend_from_slice(values.value(row).as_bytes()),
            Self::Texts(values) => append_text(values.value(row).as_bytes(), out),
            Self::Others(values) => return values.append(row, out),
        }
        Ok(())
    }
}

impl<'a> Shown<'a> {
    fn new(array: &'a ArrayRef) -> Result<Self, ArrowError> {
        let formatter = ArrayFormatter::try_new(array.as_ref(), &FormatOptions::default())?;
        Ok(Self { formatter, text: String::new() })
    }

    fn append(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        self.text.clear();
        self.formatter
            .value(row)
            .write(&mut self.text)
            .map_err(|error| ArrowError::CsvError(format!("row {}: {error}", row + 1)))?;
        append_text(self.text.as_bytes(), out);
        Ok(())
    }
}

/// The bytes of all texts of a column, one after the other.
fn all_bytes<Offset: OffsetSizeTrait>(texts: &GenericStringArray<Offset>) -> &[u8] {
    let place = |offset: Option<&Offset>| offset.map_or(0, |offset| offset.as_usize());
    let (first, end) = (place(texts.offsets().first()), place(texts.offsets().last()));
    texts.value_data().get(first..end).unwrap_or_default()
}

/// Whether a byte is one for which a field is quoted. Written so that the compiler compares many bytes with one instruction.
fn needs_quotes(bytes: &[u8]) -> bool {
    let signs = |found: u8, byte: &u8| {
        let is = |sign: u8| u8::from(*byte == sign);
        found | is(b',') | is(b'"') | is(b'\n') | is(b'\r')
    };
    let (whole, rest) = bytes.as_chunks::<64>();
    whole.iter().any(|chunk| chunk.iter().fold(0, signs) != 0) || rest.iter().fold(0, signs) != 0
}

/// Appends a text, in quotes where it has signs that are CSV's own; quotes in it are doubled.
fn append_text(text: &[u8], out: &mut Vec<u8>) {
    if !needs_quotes(text) {
        return out.extend_from_slice(text);
    }
    out.push(b'"');
    for part in text.split_inclusive(|byte| *byte == b'"') {
        out.extend_from_slice(part);
        if part.ends_with(b"\"") {
            out.push(b'"');
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{
        BooleanArray, Date32Array, DictionaryArray, Float32Array, Float64Array, Int64Array, StringArray,
        StringViewArray, TimestampMicrosecondArray,
    };
    use datafusion::arrow::csv::WriterBuilder;
    use datafusion::arrow::datatypes::Int32Type;
    use proptest::prelude::*;

    use super::*;

    /// The definition: what Arrow's own writer writes.
    fn by_definition(batch: &RecordBatch) -> String {
        let mut out = Vec::new();
        WriterBuilder::new().with_header(true).build(&mut out).write(batch).expect("CSV");
        String::from_utf8(out).expect("text")
    }

    fn encoded(batch: &RecordBatch) -> String {
        let encoder = CsvEncoder::new(batch.schema());
        let mut out = Vec::new();
        encoder.head(&mut out);
        let half = batch.num_rows() / 2;
        for part in [batch.slice(0, half), batch.slice(half, batch.num_rows() - half)] {
            encoder.encode(&part, 0, &mut out).expect("CSV");
        }
        String::from_utf8(out).expect("text")
    }

    fn text() -> impl Strategy<Value = Option<String>> {
        prop_oneof![
            3 => "[a-z ]{0,12}".prop_map(Some),
            2 => "[,\"\n\r a-cé]{0,80}".prop_map(Some),
            1 => Just(None),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn rows_are_written_as_arrow_writes_them(
            rows in prop::collection::vec((text(), any::<Option<i64>>(), any::<Option<f64>>(), any::<Option<bool>>(), -9999..9999_i32), 0..30),
            signs in any::<bool>(),
        ) {
            let texts: Vec<Option<String>> = rows
                .iter()
                .map(|row| row.0.clone().map(|text| if signs { text } else { text.replace([',', '"', '\n', '\r'], "") }))
                .collect();
            let short = rows.iter().map(|row| row.1.map(|_| f64::from(row.4) / 100.0));
            let dictionary: DictionaryArray<Int32Type> = texts.iter().map(Option::as_deref).collect();
            let columns: Vec<(&str, ArrayRef)> = vec![
                ("text", Arc::new(StringArray::from(texts.clone()))),
                ("a \"name\", quoted", Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>())),
                ("number", Arc::new(rows.iter().map(|row| row.2).collect::<Float64Array>())),
                ("short", Arc::new(short.collect::<Float64Array>())),
                ("boolean", Arc::new(rows.iter().map(|row| row.3).collect::<BooleanArray>())),
                ("day", Arc::new(rows.iter().map(|row| row.1.map(|_| row.4)).collect::<Date32Array>())),
                ("time", Arc::new(rows.iter().map(|row| row.1.map(|number| number >> 12)).collect::<TimestampMicrosecondArray>())),
                ("single", Arc::new(rows.iter().map(|row| row.2.map(|number| number as f32)).collect::<Float32Array>())),
                ("view", Arc::new(StringViewArray::from_iter(texts))),
                ("dictionary", Arc::new(dictionary)),
            ];
            let alone = columns.iter().map(|column| vec![column.clone()]);
            for columns in alone.collect::<Vec<_>>().into_iter().chain([columns]) {
                let nullable = columns.into_iter().map(|(name, array)| (name, array, true));
                let batch = RecordBatch::try_from_iter_with_nullable(nullable).expect("a batch");
                prop_assert_eq!(encoded(&batch), by_definition(&batch));
            }
        }
    }

    #[test]
    fn an_empty_field_alone_in_its_row_is_quoted_and_one_beside_others_is_not() {
        let nulls: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
        let one =
            RecordBatch::try_from_iter_with_nullable([("a", Arc::clone(&nulls), true)]).expect("a batch");
        assert_eq!(encoded(&one), "a\n1\n\"\"\n");
        let two = [("a", Arc::clone(&nulls), true), ("b", nulls, true)];
        assert_eq!(
            encoded(&RecordBatch::try_from_iter_with_nullable(two).expect("a batch")),
            "a,b\n1,1\n,\n"
        );
    }
}
