//! Rows of a binary COPY as Arrow columns.

use std::error::Error;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float32Builder,
    Float64Builder, Int16Builder, Int32Builder, Int64Builder, RecordBatch, StringBuilder,
    Time64MicrosecondBuilder, TimestampMicrosecondBuilder,
};
use datafusion::arrow::compute::kernels::cast_utils::parse_decimal;
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use tokio_postgres::binary_copy::BinaryCopyOutRow;
use tokio_postgres::types::{FromSql, Type};

use super::catalogue::Column;
use super::types::Kind;

/// Days and microseconds from 1970-01-01 to 2000-01-01, which PostgreSQL counts from.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// The bytes of a value as the server sent them.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Collects rows until they make a batch.
pub(super) struct Batch {
    columns: Vec<(Column, Builder)>,
    schema: SchemaRef,
    /// Rows in the batch.
    pub(super) rows: usize,
    /// About how many bytes they have.
    pub(super) bytes: usize,
}

enum Builder {
    Bool(BooleanBuilder),
    Int2(Int16Builder),
    Int4(Int32Builder),
    Int8(Int64Builder),
    Float4(Float32Builder),
    Float8(Float64Builder),
    Decimal(Decimal128Builder, u8, i8),
    Text(StringBuilder),
    Bytes(BinaryBuilder),
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
    Timestamp(TimestampMicrosecondBuilder),
}

impl Builder {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Bool => Self::Bool(BooleanBuilder::new()),
            Kind::Int2 => Self::Int2(Int16Builder::new()),
            Kind::Int4 => Self::Int4(Int32Builder::new()),
            Kind::Int8 => Self::Int8(Int64Builder::new()),
            Kind::Float4 => Self::Float4(Float32Builder::new()),
            Kind::Float8 | Kind::Numeric => Self::Float8(Float64Builder::new()),
            Kind::Decimal(precision, scale) => {
                let builder = Decimal128Builder::new().with_data_type(DataType::Decimal128(precision, scale));
                Self::Decimal(builder, precision, scale)
            }
            Kind::Text | Kind::Other => Self::Text(StringBuilder::new()),
            Kind::Bytes => Self::Bytes(BinaryBuilder::new()),
            Kind::Date => Self::Date(Date32Builder::new()),
            Kind::Time => Self::Time(Time64MicrosecondBuilder::new()),
            Kind::Timestamp | Kind::TimestampTz => {
                Self::Timestamp(TimestampMicrosecondBuilder::new().with_data_type(kind.arrow()))
            }
        }
    }

    /// Adds a value, or a null; says what is wrong with one that Arrow has no place for.
    fn add(&mut self, raw: Option<&[u8]>) -> Result<(), String> {
        match self {
            Self::Bool(builder) => builder.append_option(raw.map(|raw| raw != [0])),
            Self::Int2(builder) => builder.append_option(fixed(raw)?.map(i16::from_be_bytes)),
            Self::Int4(builder) => builder.append_option(fixed(raw)?.map(i32::from_be_bytes)),
            Self::Int8(builder) => builder.append_option(fixed(raw)?.map(i64::from_be_bytes)),
            Self::Float4(builder) => builder.append_option(fixed(raw)?.map(f32::from_be_bytes)),
            Self::Float8(builder) => builder.append_option(fixed(raw)?.map(f64::from_be_bytes)),
            Self::Text(builder) => builder.append_option(text(raw)?),
            Self::Bytes(builder) => builder.append_option(raw),
            Self::Time(builder) => builder.append_option(fixed(raw)?.map(i64::from_be_bytes)),
            Self::Decimal(builder, precision, scale) => {
                let parsed = text(raw)?.map(|text| {
                    parse_decimal::<Decimal128Type>(text, *precision, *scale)
                        .map_err(|_| format!("{text}, which is not a number"))
                });
                builder.append_option(parsed.transpose()?);
            }
            Self::Date(builder) => {
                let days = fixed(raw)?.map(i32::from_be_bytes).map(|days| match days {
                    i32::MIN | i32::MAX => Err("a date at infinity".to_owned()),
                    days => days.checked_add(EPOCH_DAYS).ok_or_else(|| "a date too far away".to_owned()),
                });
                builder.append_option(days.transpose()?);
            }
            Self::Timestamp(builder) => {
                let micros = fixed(raw)?.map(i64::from_be_bytes).map(|micros| match micros {
                    i64::MIN | i64::MAX => Err("a time at infinity".to_owned()),
                    micros => {
                        micros.checked_add(EPOCH_MICROS).ok_or_else(|| "a time too far away".to_owned())
                    }
                });
                builder.append_option(micros.transpose()?);
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Bool(builder) => Arc::new(builder.finish()),
            Self::Int2(builder) => Arc::new(builder.finish()),
            Self::Int4(builder) => Arc::new(builder.finish()),
            Self::Int8(builder) => Arc::new(builder.finish()),
            Self::Float4(builder) => Arc::new(builder.finish()),
            Self::Float8(builder) => Arc::new(builder.finish()),
            Self::Decimal(builder, ..) => Arc::new(builder.finish()),
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Bytes(builder) => Arc::new(builder.finish()),
            Self::Date(builder) => Arc::new(builder.finish()),
            Self::Time(builder) => Arc::new(builder.finish()),
            Self::Timestamp(builder) => Arc::new(builder.finish()),
        }
    }
}

fn fixed<const N: usize>(raw: Option<&[u8]>) -> Result<Option<[u8; N]>, String> {
    let fixed = raw.map(<[u8; N]>::try_from).transpose();
    fixed.map_err(|_| format!("a value that is not of {N} bytes"))
}

fn text(raw: Option<&[u8]>) -> Result<Option<&str>, String> {
    raw.map(std::str::from_utf8).transpose().map_err(|_| "text that is not UTF-8".to_owned())
}

impl Batch {
    pub(super) fn new(columns: &[Column]) -> Self {
        let fields: Vec<Field> =
            columns.iter().map(|column| Field::new(&column.name, column.kind.arrow(), true)).collect();
        Self {
            columns: columns.iter().map(|column| (column.clone(), Builder::new(column.kind))).collect(),
            schema: Arc::new(Schema::new(fields)),
            rows: 0,
            bytes: 0,
        }
    }

    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Adds a row; says which column holds what no column of ours can.
    pub(super) fn add(&mut self, row: &BinaryCopyOutRow) -> Result<(), String> {
        for (index, (column, builder)) in self.columns.iter_mut().enumerate() {
            let raw: Option<Raw<'_>> = row.try_get(index).map_err(|error| error.to_string())?;
            self.bytes = self.bytes.saturating_add(raw.as_ref().map_or(1, |raw| raw.0.len()));
            builder.add(raw.map(|raw| raw.0)).map_err(|problem| {
                format!(
                    "column {} ({}) holds {problem}; leave it out, or cast it, in a view",
                    column.name, column.sql_type
                )
            })?;
        }
        self.rows += 1;
        Ok(())
    }

    /// The rows so far; the next ones begin a new batch.
    pub(super) fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        (self.rows, self.bytes) = (0, 0);
        let arrays = self.columns.iter_mut().map(|(_, builder)| builder.finish()).collect();
        RecordBatch::try_new(Arc::clone(&self.schema), arrays)
    }
}

/// Values as no honest server sends them; `make fuzz` tries many more.
#[cfg(test)]
mod hostile_bytes {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    const TYPES: [&str; 15] = [
        "bool",
        "int2",
        "int4",
        "int8",
        "float4",
        "float8",
        "numeric",
        "text",
        "varchar",
        "bytea",
        "date",
        "time",
        "timestamp",
        "timestamptz",
        "a type of theirs",
    ];

    /// Any bytes, numbers of each length at their ends and between, and texts of numbers.
    fn value() -> impl Strategy<Value = Option<Vec<u8>>> {
        let bytes = prop_oneof![
            vec(any::<u8>(), 0..20),
            any::<i16>().prop_map(|number| number.to_be_bytes().to_vec()),
            any::<i32>().prop_map(|number| number.to_be_bytes().to_vec()),
            any::<i64>().prop_map(|number| number.to_be_bytes().to_vec()),
            select(vec![i64::MIN, i64::MIN + 1, -1, 0, i64::MAX - 1, i64::MAX])
                .prop_map(|number| number.to_be_bytes().to_vec()),
            select(vec![i32::MIN, i32::MIN + 1, -1, 0, i32::MAX - 1, i32::MAX])
                .prop_map(|number| number.to_be_bytes().to_vec()),
            "[-+]{0,2}[0-9]{0,45}[.]{0,2}[0-9]{0,45}([eE][-+]?[0-9]{1,20})?".prop_map(String::into_bytes),
            "NaN|-?Infinity|\\PC{0,20}".prop_map(String::into_bytes),
        ];
        proptest::option::weighted(0.9, bytes)
    }

    proptest! {
        #[test]
        fn what_a_database_sends_is_read_or_refused(
            name in select(TYPES.to_vec()),
            modifier in prop_oneof![any::<i32>(), -1..70_000_i32],
            values in vec(value(), 0..20),
        ) {
            let kind = Kind::of(name, modifier);
            let mut builder = Builder::new(kind);
            let mut rows = 0;
            for value in &values {
                match builder.add(value.as_deref()) {
                    Ok(()) => rows += 1,
                    Err(problem) => prop_assert!(!problem.is_empty()),
                }
            }
            let made = builder.finish();
            prop_assert_eq!(made.len(), rows);
            prop_assert_eq!(made.data_type(), &kind.arrow());
        }
    }
}
