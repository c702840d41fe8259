//! Columns of values from the texts of fields, a batch at a time.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, RecordBatch, RecordBatchOptions,
    StringBuilder, TimestampMicrosecondBuilder,
};
use datafusion::arrow::compute::kernels::cast_utils::Parser;
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type, SchemaRef, TimeUnit};
use datafusion::arrow::error::ArrowError;

use super::date::iso_microseconds;
use super::plain_number::{plain_float, plain_integer};
use super::rules::ColumnRules;
use crate::engine::values_with_positive_nan;

/// The most fields of a batch.
const BATCH_FIELDS: usize = 1 << 18;

/// How many bytes a text is guessed to have, to make room for the first batch.
const TEXT_BYTES: usize = 8;

/// The values of one column.
enum Values {
    Boolean(BooleanBuilder),
    Integer(Int64Builder),
    Number(Float64Builder),
    Date(Date32Builder),
    Time(TimestampMicrosecondBuilder),
    Text(StringBuilder),
    /// Any other type that a manifest names: cast from text at the end of a batch.
    Other(StringBuilder),
}

/// One column that is being filled.
struct ColumnBuilder {
    /// The column's place among all of the file's.
    index: usize,
    name: String,
    data_type: DataType,
    rules: ColumnRules,
    /// Whether numbers are written as every program writes them.
    is_plain: bool,
    /// How many bytes of text the batch before had.
    text_bytes: usize,
    values: Values,
}

/// The columns of a batch that is being filled, and the batches that are full.
pub(crate) struct ColumnBuilders {
    schema: SchemaRef,
    columns: Vec<ColumnBuilder>,
    rows: usize,
    batch_rows: usize,
    full: Vec<RecordBatch>,
}

impl ColumnBuilders {
    /// Builders for the columns of these numbers, with at most so many rows in a batch: fewer where there are many columns.
    pub(crate) fn new(
        schema: &SchemaRef,
        projection: &[usize],
        rules: &[ColumnRules],
        batch_rows: usize,
    ) -> Result<Self, ArrowError> {
        let batch_rows = (BATCH_FIELDS / schema.fields().len().max(1)).min(batch_rows).max(1);
        let projected = Arc::new(schema.project(projection)?);
        let columns = projection
            .iter()
            .zip(projected.fields())
            .map(|(index, field)| {
                let rules = rules.get(*index).cloned().unwrap_or_default();
                ColumnBuilder {
                    index: *index,
                    name: field.name().clone(),
                    data_type: field.data_type().clone(),
                    is_plain: rules.has_plain_numbers(),
                    rules,
                    text_bytes: batch_rows * TEXT_BYTES,
                    values: Values::new(field.data_type(), 0, 0),
                }
            })
            .collect();
        Ok(Self { schema: projected, columns, rows: 0, batch_rows, full: Vec::new() })
    }

    /// Adds a row; `field` gives the text of the column of a number.
    ///
    /// # Errors
    /// When a text is not of its column's type; says which.
    pub(crate) fn add<'a>(&mut self, field: impl Fn(usize) -> &'a str) -> Result<(), ArrowError> {
        if self.rows == 0 {
            // A batch takes the memory of its values with it. Grown as they fill, the next ones would be copied several times.
            let rows = self.batch_rows;
            self.columns.iter_mut().for_each(|column| column.begin(rows));
        }
        for column in &mut self.columns {
            let text = field(column.index);
            if !column.add(text) {
                return Err(ArrowError::ParseError(format!(
                    "column \"{}\": {} is not a value of the type {}",
                    column.name,
                    super::shown(text),
                    column.data_type
                )));
            }
        }
        self.rows += 1;
        if self.rows == self.batch_rows {
            self.close()?;
        }
        Ok(())
    }

    /// All batches.
    ///
    /// # Errors
    /// When a text is not of its column's type.
    pub(crate) fn finish(mut self) -> Result<Vec<RecordBatch>, ArrowError> {
        if self.rows > 0 {
            self.close()?;
        }
        Ok(self.full)
    }

    fn close(&mut self) -> Result<(), ArrowError> {
        let arrays = self.columns.iter_mut().map(ColumnBuilder::finish).collect::<Result<_, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        self.full.push(RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)?);
        self.rows = 0;
        Ok(())
    }
}

impl Values {
    /// No values yet, with room for so many, of so many bytes if they are texts.
    fn new(data_type: &DataType, rows: usize, text_bytes: usize) -> Self {
        match data_type {
            DataType::Boolean => Self::Boolean(BooleanBuilder::with_capacity(rows)),
            DataType::Int64 => Self::Integer(Int64Builder::with_capacity(rows)),
            DataType::Float64 => Self::Number(Float64Builder::with_capacity(rows)),
            DataType::Date32 => Self::Date(Date32Builder::with_capacity(rows)),
            DataType::Timestamp(TimeUnit::Microsecond, zone) => Self::Time(
                TimestampMicrosecondBuilder::with_capacity(rows)
                    .with_data_type(DataType::Timestamp(TimeUnit::Microsecond, zone.clone())),
            ),
            DataType::Utf8 => Self::Text(StringBuilder::with_capacity(rows, text_bytes)),
            _ => Self::Other(StringBuilder::with_capacity(rows, text_bytes)),
        }
    }
}

impl ColumnBuilder {
    /// Makes room for a batch.
    fn begin(&mut self, rows: usize) {
        self.values = Values::new(&self.data_type, rows, self.text_bytes);
    }

    /// Adds a field; false when it is not of the column's type.
    fn add(&mut self, text: &str) -> bool {
        let rules = &self.rules;
        if rules.is_null(text.as_bytes()) {
            match &mut self.values {
                Values::Boolean(values) => values.append_null(),
                Values::Integer(values) => values.append_null(),
                Values::Number(values) => values.append_null(),
                Values::Date(values) => values.append_null(),
                Values::Time(values) => values.append_null(),
                Values::Text(values) | Values::Other(values) => values.append_null(),
            }
            return true;
        }
        match &mut self.values {
            Values::Boolean(values) => push(boolean(text), |value| values.append_value(value)),
            Values::Integer(values) => {
                let plain = if self.is_plain { plain_integer(text.as_bytes()) } else { None };
                let value = plain.or_else(|| rules.number(text).and_then(|text| Int64Type::parse(&text)));
                push(value, |value| values.append_value(value))
            }
            Values::Number(values) => {
                let plain = if self.is_plain { plain_float(text.as_bytes()) } else { None };
                let parsed = || rules.number(text).and_then(|text| Float64Type::parse(&text));
                // The sign of "-nan" is no one's, and would make it less than all numbers.
                let value =
                    plain.or_else(|| parsed().map(|value| if value.is_nan() { f64::NAN } else { value }));
                push(value, |value| values.append_value(value))
            }
            Values::Date(values) => {
                let value = match &rules.date {
                    Some(notation) => notation.days(text),
                    None => Date32Type::parse(text),
                };
                push(value, |value| values.append_value(value))
            }
            Values::Time(values) => {
                let value = match &rules.date {
                    Some(notation) => notation.microseconds(text),
                    None => iso_microseconds(text),
                };
                push(value, |value| values.append_value(value))
            }
            Values::Text(values) | Values::Other(values) => {
                values.append_value(text);
                true
            }
        }
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(match &mut self.values {
            Values::Boolean(values) => Arc::new(values.finish()),
            Values::Integer(values) => Arc::new(values.finish()),
            Values::Number(values) => Arc::new(values.finish()),
            Values::Date(values) => Arc::new(values.finish()),
            Values::Time(values) => Arc::new(values.finish()),
            Values::Text(values) => {
                self.text_bytes = with_slack(values.values_slice().len());
                Arc::new(values.finish())
            }
            Values::Other(values) => {
                self.text_bytes = with_slack(values.values_slice().len());
                // What does not parse is an error, never a null.
                let strictly = CastOptions { safe: false, ..CastOptions::default() };
                let values = cast_with_options(&values.finish(), &self.data_type, &strictly)
                    .map_err(|error| ArrowError::ParseError(format!("column \"{}\": {error}", self.name)))?;
                values_with_positive_nan(values)?
            }
        })
    }
}

/// Room for a few bytes more than the batch before needed: without it, all would be copied for the last few.
fn with_slack(bytes: usize) -> usize {
    bytes + bytes / 8
}

fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else {
        text.eq_ignore_ascii_case("false").then_some(false)
    }
}

fn push<T>(value: Option<T>, append: impl FnOnce(T)) -> bool {
    value.map(append).is_some()
}
