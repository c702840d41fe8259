//! Types that Parquet has no word for: as the nearest that it has, so that every reader knows what the numbers are. Arrow alone would read
//! seconds and days in milliseconds again, from a note of its own in the file.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use datafusion::arrow::error::ArrowError;

use crate::column_words::type_words;
use crate::table::encode_error::EncodeError;

/// The schema of the file for rows of a schema.
pub(super) fn schema_of(schema: &SchemaRef) -> SchemaRef {
    let fields: Vec<FieldRef> = schema.fields().iter().map(field_of).collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

/// Rows as the file's schema has them.
///
/// # Errors
/// When a time does not fit.
pub(super) fn batch_of(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    if batch.schema_ref() == schema {
        return Ok(batch.clone());
    }
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| match column.data_type() == field.data_type() {
        true => Ok(Arc::clone(column)),
        false => cast_with_options(column, field.data_type(), &strict),
    });
    RecordBatch::try_new(Arc::clone(schema), columns.collect::<Result<Vec<ArrayRef>, _>>()?)
}

/// Refuses columns of types that Parquet cannot hold.
///
/// # Errors
/// Names the column.
pub(super) fn refuse_types(schema: &SchemaRef) -> Result<(), EncodeError> {
    match schema.fields().iter().find(|field| !is_held(field.data_type())) {
        Some(field) => Err(EncodeError::Column(format!(
            "column \"{}\" has the type {}, which Parquet cannot hold; cast it to text: CAST(x AS VARCHAR)",
            field.name(),
            type_words(field.data_type())
        ))),
        None => Ok(()),
    }
}

fn is_held(found: &DataType) -> bool {
    match found {
        DataType::Interval(_) => false,
        DataType::Struct(fields) => {
            !fields.is_empty() && fields.iter().all(|field| is_held(field.data_type()))
        }
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => is_held(item.data_type()),
        _ => true,
    }
}

fn field_of(field: &FieldRef) -> FieldRef {
    let found = type_of(field.data_type());
    if &found == field.data_type() {
        Arc::clone(field)
    } else {
        Arc::new(Field::clone(field).with_data_type(found))
    }
}

fn type_of(found: &DataType) -> DataType {
    match found {
        DataType::Timestamp(TimeUnit::Second, zone) => {
            DataType::Timestamp(TimeUnit::Millisecond, zone.clone())
        }
        DataType::Time32(TimeUnit::Second) => DataType::Time32(TimeUnit::Millisecond),
        DataType::Date64 => DataType::Date32,
        DataType::List(item) => DataType::List(field_of(item)),
        DataType::LargeList(item) => DataType::LargeList(field_of(item)),
        DataType::FixedSizeList(item, length) => DataType::FixedSizeList(field_of(item), *length),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field_of).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Date64Array, Int64Array, TimestampSecondArray};

    use super::*;

    #[test]
    fn seconds_and_days_have_types_that_every_reader_of_parquet_knows() {
        let batch = RecordBatch::try_from_iter([
            ("second", Arc::new(TimestampSecondArray::from(vec![1])) as ArrayRef),
            ("day", Arc::new(Date64Array::from(vec![86_400_000]))),
            ("n", Arc::new(Int64Array::from(vec![1]))),
        ])
        .expect("a batch");
        let schema = schema_of(batch.schema_ref());
        let types: Vec<String> = schema.fields().iter().map(|field| field.data_type().to_string()).collect();
        assert_eq!(types, ["Timestamp(ms)", "Date32", "Int64"]);
        assert_eq!(batch_of(&batch, &schema).expect("rows").schema_ref(), &schema);
        let far = TimestampSecondArray::from(vec![i64::MAX]);
        let far = RecordBatch::try_from_iter([("second", Arc::new(far) as ArrayRef)]).expect("a batch");
        assert!(batch_of(&far, &schema_of(far.schema_ref())).is_err());
    }
}
