//! The Arrow schema that writers put beside a Parquet file's own: whether it names types that can be read.
//!
//! Owns the look at it before the reader converts it, which ends the process on types that it does not know, such as the integers of 128 bits
//! of other programs.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use datafusion::arrow::ipc::{self, root_as_message};
use parquet::arrow::ARROW_SCHEMA_META_KEY;
use parquet::file::metadata::ParquetMetaData;

/// Whether a file has an Arrow schema beside its own.
pub(super) fn is_embedded(metadata: &ParquetMetaData) -> bool {
    embedded(metadata).is_some()
}

/// Refuses a file whose Arrow schema names a type that is not known.
///
/// # Errors
/// Names the column and the type. What is no Arrow schema at all is left to the reader, which says so.
pub(super) fn refuse_unknown(metadata: &ParquetMetaData) -> Result<(), String> {
    let Some(text) = embedded(metadata) else { return Ok(()) };
    let Ok(bytes) = BASE64_STANDARD.decode(text) else { return Ok(()) };
    let message = match bytes.split_at_checked(8) {
        Some((head, rest)) if !rest.is_empty() && head.starts_with(&[0xff; 4]) => rest,
        _ => bytes.as_slice(),
    };
    let Ok(message) = root_as_message(message) else { return Ok(()) };
    let Some(schema) = message.header_as_schema() else { return Ok(()) };
    let Some(fields) = schema.fields() else {
        return Err("the Arrow schema in its footer has no columns".into());
    };
    for field in fields {
        let is_big_endian = schema.endianness() == ipc::Endianness::Big;
        let problem = unknown(field, true).or((is_big_endian && field.type_type() == ipc::Type::Decimal)
            .then(|| "a decimal whose first byte is the highest".to_owned()));
        if let Some(problem) = problem {
            let name = field.name().unwrap_or_default();
            return Err(format!(
                "column \"{name}\" is {problem} by the Arrow schema in its footer, a type that is not read; write the file with another one, as a text or a \
                 decimal"
            ));
        }
    }
    Ok(())
}

fn embedded(metadata: &ParquetMetaData) -> Option<&str> {
    let all = metadata.file_metadata().key_value_metadata()?;
    all.iter().find(|entry| entry.key == ARROW_SCHEMA_META_KEY)?.value.as_deref()
}

/// What a field has that the reader does not know, or what one of those in it has.
fn unknown(field: ipc::Field<'_>, may_be_dictionary: bool) -> Option<String> {
    if let Some(dictionary) = field.dictionary().filter(|_| may_be_dictionary) {
        return match dictionary.indexType().map(|index| index.bitWidth()) {
            Some(8 | 16 | 32 | 64) => unknown(field, false),
            _ => Some("a dictionary with keys of an unknown size".to_owned()),
        };
    }
    unknown_size(field).or_else(|| {
        let count = field.children().map_or(0, |children| children.len());
        let expected = match field.type_type() {
            ipc::Type::List
            | ipc::Type::LargeList
            | ipc::Type::ListView
            | ipc::Type::LargeListView
            | ipc::Type::FixedSizeList
            | ipc::Type::Map => 1,
            ipc::Type::RunEndEncoded => 2,
            _ => count,
        };
        if count != expected {
            return Some("a list or map without its one item".to_owned());
        }
        field.children().into_iter().flatten().find_map(|child| unknown(child, true))
    })
}

/// What is not known of a field's type itself.
fn unknown_size(field: ipc::Field<'_>) -> Option<String> {
    use ipc::{Precision, TimeUnit, Type};
    let units = TimeUnit::SECOND.0..=TimeUnit::NANOSECOND.0;
    match field.type_type() {
        Type::Int => {
            let bits = field.type_as_int()?.bitWidth();
            (![8, 16, 32, 64].contains(&bits)).then(|| format!("an integer of {bits} bits"))
        }
        Type::FloatingPoint => {
            let known = [Precision::HALF, Precision::SINGLE, Precision::DOUBLE];
            (!known.contains(&field.type_as_floating_point()?.precision()))
                .then(|| "a number of unknown size".into())
        }
        Type::Decimal => {
            let decimal = field.type_as_decimal()?;
            let is_known = [32, 64, 128, 256].contains(&decimal.bitWidth())
                && u8::try_from(decimal.precision()).is_ok()
                && i8::try_from(decimal.scale()).is_ok();
            (!is_known).then(|| format!("a decimal of {} bits", decimal.bitWidth()))
        }
        Type::Date => {
            let known = [ipc::DateUnit::DAY, ipc::DateUnit::MILLISECOND];
            (!known.contains(&field.type_as_date()?.unit())).then(|| "a date of an unknown unit".into())
        }
        Type::Time => {
            let time = field.type_as_time()?;
            let bits = if time.unit().0 <= TimeUnit::MILLISECOND.0 { 32 } else { 64 };
            let is_known = units.contains(&time.unit().0) && time.bitWidth() == bits;
            (!is_known).then(|| "a time of day of an unknown unit".into())
        }
        Type::Timestamp => (!units.contains(&field.type_as_timestamp()?.unit().0))
            .then(|| "a time of an unknown unit".into()),
        Type::Duration => (!units.contains(&field.type_as_duration()?.unit().0))
            .then(|| "a duration of an unknown unit".into()),
        Type::Interval => {
            let known = ipc::IntervalUnit::YEAR_MONTH.0..=ipc::IntervalUnit::MONTH_DAY_NANO.0;
            (!known.contains(&field.type_as_interval()?.unit().0))
                .then(|| "an interval of an unknown unit".into())
        }
        Type::FixedSizeBinary => {
            (field.type_as_fixed_size_binary()?.byteWidth() < 0).then(|| "bytes of no size".into())
        }
        Type::FixedSizeList => {
            (field.type_as_fixed_size_list()?.listSize() < 0).then(|| "a list of no size".into())
        }
        Type::Null
        | Type::Bool
        | Type::Binary
        | Type::BinaryView
        | Type::LargeBinary
        | Type::Utf8
        | Type::Utf8View
        | Type::LargeUtf8
        | Type::List
        | Type::LargeList
        | Type::ListView
        | Type::LargeListView
        | Type::Struct_
        | Type::RunEndEncoded
        | Type::Map => None,
        Type::Union => Some("one of several types".to_owned()),
        other => Some(format!("of the unknown type {}", other.0)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use datafusion::arrow::array::{ArrayRef, FixedSizeBinaryArray, RecordBatch};
    use datafusion::arrow::datatypes::{DataType, Field, Schema, TimeUnit, UnionFields, UnionMode};
    use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
    use parquet::arrow::arrow_writer::{ArrowWriter, ArrowWriterOptions};
    use parquet::arrow::encode_arrow_schema;
    use parquet::file::metadata::{FileMetaData, KeyValue};

    use super::*;

    /// The footer of a file of a column "big" of 16 bytes.
    fn plain() -> Arc<ParquetMetaData> {
        let values: ArrayRef =
            Arc::new(FixedSizeBinaryArray::try_from_iter([[1_u8; 16]].into_iter()).expect("bytes"));
        let rows = RecordBatch::try_from_iter([("big", values)]).expect("rows");
        let options = ArrowWriterOptions::new().with_skip_arrow_metadata(true);
        let mut file = Vec::new();
        let mut writer =
            ArrowWriter::try_new_with_options(&mut file, rows.schema(), options).expect("a writer");
        writer.write(&rows).expect("written");
        writer.close().expect("closed");
        let loaded = ArrowReaderMetadata::load(&Bytes::from(file), ArrowReaderOptions::new());
        Arc::clone(loaded.expect("a footer").metadata())
    }

    /// The same where the Arrow schema beside it is these bytes.
    fn with_embedded(plain: &ParquetMetaData, embedded: &[u8]) -> Arc<ParquetMetaData> {
        let own = plain.file_metadata();
        let entry = KeyValue::new(ARROW_SCHEMA_META_KEY.to_owned(), BASE64_STANDARD.encode(embedded));
        let file = FileMetaData::new(
            own.version(),
            own.num_rows(),
            None,
            Some(vec![entry]),
            own.schema_descr_ptr(),
            own.column_orders().cloned(),
        );
        Arc::new(ParquetMetaData::new(file, plain.row_groups().to_vec()))
    }

    /// The Arrow schema of a column of a type, as bytes.
    fn embedded(data_type: DataType) -> Vec<u8> {
        let schema = Schema::new(vec![Field::new("big", data_type, true)]);
        BASE64_STANDARD.decode(encode_arrow_schema(&schema)).expect("base64")
    }

    /// Makes the integers of 64 bits in a schema some of 128.
    fn doubled(mut bytes: Vec<u8>) -> Vec<u8> {
        let number = |at: &usize| bytes.get(*at..*at + 4) == Some(&64_i32.to_le_bytes());
        let places: Vec<usize> = (0..bytes.len()).filter(number).collect();
        let [at] = places.as_slice() else { panic!("64 is there {} times", places.len()) };
        bytes[*at] = 128;
        bytes
    }

    #[test]
    fn an_embedded_type_that_is_not_known_is_an_error_that_names_the_column() {
        let plain = plain();
        let list = DataType::new_list(DataType::UInt64, true);
        for bytes in [embedded(DataType::Int64), embedded(list)].map(doubled) {
            let message = refuse_unknown(&with_embedded(&plain, &bytes)).expect_err("refused");
            assert!(message.contains("\"big\" is an integer of 128 bits"), "{message}");
        }
        let union = UnionFields::from_fields([Field::new("a", DataType::Int64, true)]);
        let bytes = embedded(DataType::Union(union, UnionMode::Sparse));
        let message = refuse_unknown(&with_embedded(&plain, &bytes)).expect_err("refused");
        assert!(message.contains("one of several types"), "{message}");
        assert_eq!(refuse_unknown(&with_embedded(&plain, &embedded(DataType::Int64))), Ok(()));
    }

    #[test]
    fn whatever_bytes_an_embedded_schema_has_nothing_panics() {
        let plain = plain();
        let types = [
            DataType::Int64,
            DataType::Float32,
            DataType::Decimal128(38, 2),
            DataType::Time64(TimeUnit::Nanosecond),
            DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
            DataType::Duration(TimeUnit::Second),
            DataType::Date64,
            DataType::FixedSizeBinary(16),
            DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
            DataType::new_fixed_size_list(DataType::Int8, 3, true),
        ];
        for whole in types.map(embedded) {
            for at in 0..whole.len() {
                for value in [0, 2, 26, 128, 255] {
                    let mut changed = whole.clone();
                    changed[at] = value;
                    let metadata = with_embedded(&plain, &changed);
                    if refuse_unknown(&metadata).is_ok() {
                        let _ = ArrowReaderMetadata::try_new(metadata, ArrowReaderOptions::new());
                    }
                }
            }
        }
    }
}
