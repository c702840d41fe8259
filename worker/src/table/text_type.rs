//! What type the texts of a column have: found by looking at every one of them.

use datafusion::arrow::compute::kernels::cast_utils::Parser;
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};

/// The kinds of text that were met in a column. Two sets are merged by taking both, in any order, so that the type does not
/// depend on which core saw which rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TextKinds(u8);

const BOOLEAN: u8 = 1;
const INTEGER: u8 = 1 << 1;
const FLOAT: u8 = 1 << 2;
const DATE: u8 = 1 << 3;
const TIME: u8 = 1 << 4;
const ZONED_TIME: u8 = 1 << 5;
const TEXT: u8 = 1 << 6;

impl TextKinds {
    /// Adds one field. An empty one is null and says nothing.
    pub(super) fn add(&mut self, field: &[u8]) {
        // Once text, always text: no later field can change that.
        if self.0 & TEXT == 0 && !field.is_empty() {
            self.0 |= kind(field);
        }
    }

    /// Adds what was met elsewhere.
    pub(super) fn merge(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// The narrowest type that holds every field: integers and numbers with a fraction together are numbers with a fraction,
    /// dates and times together are times, anything else together is text, and so is nothing at all.
    pub(super) fn data_type(self) -> DataType {
        match self.0 {
            BOOLEAN => DataType::Boolean,
            INTEGER => DataType::Int64,
            FLOAT => DataType::Float64,
            both if both == INTEGER | FLOAT => DataType::Float64,
            DATE => DataType::Date32,
            TIME => DataType::Timestamp(TimeUnit::Microsecond, None),
            both if both == DATE | TIME => DataType::Timestamp(TimeUnit::Microsecond, None),
            ZONED_TIME => DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())),
            _ => DataType::Utf8,
        }
    }
}

/// The kind of one field that is not empty. What counts as a number, a date or a time is just what the reader parses.
fn kind(field: &[u8]) -> u8 {
    match plain_number(field) {
        Some(INTEGER) if field.len() <= 18 => return INTEGER,
        Some(FLOAT) => return FLOAT,
        _ => {}
    }
    let Ok(text) = std::str::from_utf8(field) else { return TEXT };
    match field.first() {
        Some(b't' | b'T' | b'f' | b'F')
            if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") =>
        {
            BOOLEAN
        }
        Some(b'0'..=b'9') if field.get(4) == Some(&b'-') && field.len() >= 10 => moment(text),
        Some(b'0'..=b'9' | b'+' | b'-' | b'.' | b'n' | b'N' | b'i' | b'I') => {
            if Int64Type::parse(text).is_some() {
                INTEGER
            } else if Float64Type::parse(text).is_some() {
                FLOAT
            } else {
                TEXT
            }
        }
        _ => TEXT,
    }
}

/// [`INTEGER`] or [`FLOAT`] for the common forms of numbers, which every parser reads: `-?digits(.digits)?`.
fn plain_number(field: &[u8]) -> Option<u8> {
    let digits = field.strip_prefix(b"-").unwrap_or(field);
    let whole = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if whole == 0 {
        return None;
    }
    match digits.get(whole..) {
        Some([]) => Some(INTEGER),
        Some([b'.', fraction @ ..]) if !fraction.is_empty() && fraction.iter().all(u8::is_ascii_digit) => {
            Some(FLOAT)
        }
        _ => None,
    }
}

/// A text that begins like `2026-`.
fn moment(text: &str) -> u8 {
    if text.len() == 10 && Date32Type::parse(text).is_some() {
        DATE
    } else if text.len() > 10 && TimestampMicrosecondType::parse(text).is_some() {
        let clock = text.get(11..).unwrap_or_default();
        if clock.contains(['Z', 'z', '+', '-', ' ']) { ZONED_TIME } else { TIME }
    } else {
        TEXT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_of(fields: &[&str]) -> String {
        let mut kinds = TextKinds::default();
        for field in fields {
            kinds.add(field.as_bytes());
        }
        kinds.data_type().to_string()
    }

    #[test]
    fn a_column_has_the_narrowest_type_that_holds_every_field() {
        let rows: [(&[&str], &str); 24] = [
            (&["1", "-2", "", "9223372036854775807"], "Int64"),
            (&["1", "2", "2.5"], "Float64"),
            (&["1", "9223372036854775808"], "Float64"),
            (&["1e5", ".5", "5.", "-1.5E-3"], "Float64"),
            (&["1.5", "NaN", "inf", "-inf"], "Float64"),
            (&["1", "NA"], "Utf8"),
            (&["true", "FALSE", ""], "Boolean"),
            (&["true", "1"], "Utf8"),
            (&["2026-01-31", "1999-12-01"], "Date32"),
            (&["2026-02-30"], "Utf8"),
            (&["2026-01-31 10:00:00", "2026-01-31T10:00:00.123"], "Timestamp(µs)"),
            (&["2026-01-31", "2026-01-31 10:00:00"], "Timestamp(µs)"),
            (&["2026-01-31T10:00:00Z", "2026-01-31T10:00:00+02:00"], "Timestamp(µs, \"+00:00\")"),
            (&["2026-01-31T10:00:00Z", "2026-01-31T10:00:00"], "Utf8"),
            (&["2026-01-31T10:00:00Z", "2026-01-31"], "Utf8"),
            (&["", ""], "Utf8"),
            (&[], "Utf8"),
            (&["1", "x"], "Utf8"),
            (&[" 1"], "Utf8"),
            (&["1_000"], "Utf8"),
            (&["0x10"], "Utf8"),
            (&["-"], "Utf8"),
            (&["+5"], "Int64"),
            (&["1-1"], "Utf8"),
        ];
        for (fields, expected) in rows {
            assert_eq!(type_of(fields), expected, "{fields:?}");
        }
    }

    #[test]
    fn what_is_called_a_type_is_parsed_by_the_reader_as_that_type() {
        for field in [
            "1",
            "-0",
            "007",
            "+5",
            "1.",
            ".5",
            "1e400",
            "-1.5E-3",
            "nan",
            "Infinity",
            "123456789012345678901",
        ] {
            let mut kinds = TextKinds::default();
            kinds.add(field.as_bytes());
            let parsed = match kinds.data_type() {
                DataType::Int64 => Int64Type::parse(field).is_some(),
                DataType::Float64 => Float64Type::parse(field).is_some(),
                _ => true,
            };
            assert!(parsed, "{field}");
        }
    }
}
