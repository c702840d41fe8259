//! PostgreSQL's types and Arrow's: which becomes which.

use datafusion::arrow::datatypes::{DataType, TimeUnit};

use super::quote;

/// The time zone of times with one: all are kept as moments.
const UTC: &str = "+00:00";

/// What a column is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    /// numeric(p, s) with at most 38 digits: exact.
    Decimal(u8, i8),
    /// numeric without bounds: as a floating-point number, since no exact type of Arrow's holds any of them.
    Numeric,
    Text,
    /// Everything else, by its text.
    Other,
    Bytes,
    Date,
    Time,
    Timestamp,
    TimestampTz,
}

impl Kind {
    /// By the type's name in the catalogue and its modifier.
    pub(super) fn of(name: &str, modifier: i32) -> Self {
        match name {
            "bool" => Self::Bool,
            "int2" => Self::Int2,
            "int4" => Self::Int4,
            "int8" => Self::Int8,
            "float4" => Self::Float4,
            "float8" => Self::Float8,
            "numeric" => Self::numeric(modifier),
            "text" | "varchar" | "bpchar" | "name" => Self::Text,
            "bytea" => Self::Bytes,
            "date" => Self::Date,
            "time" => Self::Time,
            "timestamp" => Self::Timestamp,
            "timestamptz" => Self::TimestampTz,
            _ => Self::Other,
        }
    }

    /// The modifier of numeric(p, s) is p << 16 | s, s having 11 bits with a sign, plus 4; -1 stands for no bounds.
    fn numeric(modifier: i32) -> Self {
        let packed = modifier.wrapping_sub(4);
        let (precision, scale) = ((packed >> 16) & 0xffff, ((packed & 0x7ff) ^ 1024) - 1024);
        match (u8::try_from(precision), i8::try_from(scale)) {
            (Ok(precision @ 1..=38), Ok(scale))
                if modifier >= 4 && (0..=precision as i8).contains(&scale) =>
            {
                Self::Decimal(precision, scale)
            }
            _ => Self::Numeric,
        }
    }

    /// The type of the column that comes of it.
    pub(super) fn arrow(self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int2 => DataType::Int16,
            Self::Int4 => DataType::Int32,
            Self::Int8 => DataType::Int64,
            Self::Float4 => DataType::Float32,
            Self::Float8 | Self::Numeric => DataType::Float64,
            Self::Decimal(precision, scale) => DataType::Decimal128(precision, scale),
            Self::Text | Self::Other => DataType::Utf8,
            Self::Bytes => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::TimestampTz => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
        }
    }

    /// The expression that sends the column as this module expects it.
    pub(super) fn select(self, column: &str) -> String {
        let column = quote(column);
        match self {
            Self::Decimal(..) | Self::Text | Self::Other => format!("{column}::text"),
            Self::Numeric => format!("{column}::float8"),
            _ => column,
        }
    }
}

/// The type of a new table's column; `None` for what has none.
pub(super) fn sql_type(data_type: &DataType) -> Option<String> {
    Some(match data_type {
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => "smallint".to_owned(),
        DataType::Int32 | DataType::UInt16 => "integer".to_owned(),
        DataType::Int64 | DataType::UInt32 => "bigint".to_owned(),
        DataType::UInt64 => "numeric(20,0)".to_owned(),
        DataType::Float16 | DataType::Float32 => "real".to_owned(),
        DataType::Float64 => "double precision".to_owned(),
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
            format!("numeric({precision},{scale})")
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => "text".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "bytea".to_owned(),
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Time32(_) | DataType::Time64(_) => "time".to_owned(),
        DataType::Timestamp(_, None) => "timestamp".to_owned(),
        DataType::Timestamp(_, Some(_)) => "timestamptz".to_owned(),
        DataType::Dictionary(_, values) => return sql_type(values),
        _ => return None,
    })
}

/// Whether every value of a type is one of a column's, or the database says which is not.
pub(super) fn fits(data_type: &DataType, kind: Kind) -> bool {
    let exact = matches!(kind, Kind::Int2 | Kind::Int4 | Kind::Int8 | Kind::Decimal(..) | Kind::Numeric);
    match data_type {
        DataType::Boolean => kind == Kind::Bool,
        whole if whole.is_integer() => exact || kind == Kind::Float8,
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            matches!(kind, Kind::Float4 | Kind::Float8 | Kind::Numeric)
        }
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => {
            kind == Kind::Numeric || matches!(kind, Kind::Decimal(_, places) if places >= *scale)
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => matches!(kind, Kind::Text | Kind::Other),
        // A column of nulls goes anywhere.
        DataType::Null => true,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => kind == Kind::Bytes,
        DataType::Date32 | DataType::Date64 => matches!(kind, Kind::Date | Kind::Timestamp),
        DataType::Time32(_) | DataType::Time64(_) => kind == Kind::Time,
        DataType::Timestamp(_, None) => kind == Kind::Timestamp,
        DataType::Timestamp(_, Some(_)) => kind == Kind::TimestampTz,
        DataType::Dictionary(_, values) => fits(values, kind),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_bounds_stay_exact() {
        let modifier = |precision: i32, scale: i32| ((precision << 16) | (scale & 0x7ff)) + 4;
        for (modifier, kind) in [
            (modifier(10, 2), Kind::Decimal(10, 2)),
            (modifier(38, 38), Kind::Decimal(38, 38)),
            (modifier(39, 0), Kind::Numeric),
            (modifier(5, -2), Kind::Numeric),
            (modifier(2, 5), Kind::Numeric),
            (-1, Kind::Numeric),
        ] {
            assert_eq!(Kind::of("numeric", modifier), kind, "{modifier}");
        }
    }

    #[test]
    fn every_type_that_is_read_can_be_written_back() {
        let names = [
            "bool",
            "int2",
            "int4",
            "int8",
            "float4",
            "float8",
            "text",
            "bytea",
            "date",
            "time",
            "timestamp",
            "timestamptz",
        ];
        for name in names {
            let kind = Kind::of(name, -1);
            assert!(fits(&kind.arrow(), kind), "{name}");
            assert!(sql_type(&kind.arrow()).is_some(), "{name}");
        }
    }

    #[test]
    fn selected_names_are_quoted() {
        assert_eq!(Kind::Other.select("a\"; DROP TABLE x; --"), "\"a\"\"; DROP TABLE x; --\"::text");
    }
}
