//! What type the texts of a column have: found by inspecting every one of them.
//!
//! A type is found only where it loses nothing: ids with leading zeros, whole numbers beyond 64 bits and times finer than the
//! type holds stay text.

use datafusion::arrow::compute::kernels::cast_utils::Parser;
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use mlpipeline_crds::ColumnType;

use super::rules::ColumnRules;

/// The kinds of text that were met in a column. Two sets are merged by taking both, in any order, so that the type does not
/// depend on which core saw which rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TextKinds(u8);

const BOOLEAN: u8 = 1;
const INTEGER: u8 = 1 << 1;
const FLOAT: u8 = 1 << 2;
const DATE: u8 = 1 << 3;
const TIME: u8 = 1 << 4;
const ZONED_TIME: u8 = 1 << 5;
const TEXT: u8 = 1 << 6;
/// A whole number of 64 bits that a number with a fraction does not hold exactly.
const BIG_INTEGER: u8 = 1 << 7;

/// Whole numbers up to this one are exact as numbers with a fraction.
const EXACT_LIMIT: u64 = 1 << 53;

/// So many digits are always below [`EXACT_LIMIT`].
const EXACT_DIGITS: usize = 15;

impl TextKinds {
    /// Adds one field; one that stands for null says nothing.
    ///
    /// # Errors
    /// When the field is not of the type that the spec names; says which that is.
    pub(crate) fn add(&mut self, field: &[u8], rules: &ColumnRules) -> Result<(), ColumnType> {
        // Once text, always text: no later field can change that.
        if self.0 & TEXT != 0 && rules.declared.is_none() || rules.is_null(field) {
            return Ok(());
        }
        let kind = kind(field, rules);
        self.0 |= kind;
        match rules.declared {
            Some(declared) if !fits(kind, declared) => Err(declared),
            _ => Ok(()),
        }
    }

    /// Adds what was met elsewhere.
    pub(crate) fn merge(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// The type that the spec names; else the narrowest type that holds every field without a loss: integers and numbers with
    /// a fraction together are numbers with a fraction, dates and times together are times, anything else together is text, and
    /// so is nothing at all.
    pub(crate) fn data_type(self, rules: &ColumnRules) -> DataType {
        let time = || DataType::Timestamp(TimeUnit::Microsecond, None);
        match (rules.declared, self.0) {
            (Some(ColumnType::Text), _) => DataType::Utf8,
            (Some(ColumnType::Integer), _) => DataType::Int64,
            (Some(ColumnType::Number), _) => DataType::Float64,
            (Some(ColumnType::Boolean), _) => DataType::Boolean,
            (Some(ColumnType::Date), _) => DataType::Date32,
            (Some(ColumnType::Timestamp), _) => time(),
            (None, BOOLEAN) => DataType::Boolean,
            (None, found) if found != 0 && found & !(INTEGER | BIG_INTEGER) == 0 => DataType::Int64,
            (None, found) if found & FLOAT != 0 && found & !(INTEGER | FLOAT) == 0 => DataType::Float64,
            (None, DATE) => DataType::Date32,
            (None, found) if found & TIME != 0 && found & !(DATE | TIME) == 0 => time(),
            (None, ZONED_TIME) => DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())),
            _ => DataType::Utf8,
        }
    }
}

/// Whether a field of this kind is a value of the type that the spec names.
fn fits(kind: u8, declared: ColumnType) -> bool {
    let allowed = match declared {
        ColumnType::Text => u8::MAX,
        ColumnType::Integer => INTEGER | BIG_INTEGER,
        ColumnType::Number => INTEGER | BIG_INTEGER | FLOAT,
        ColumnType::Boolean => BOOLEAN,
        ColumnType::Date => DATE,
        ColumnType::Timestamp => DATE | TIME,
    };
    kind & !allowed == 0
}

/// The kind of one field that does not stand for null. What counts as a number, a date or a time is just what is parsed.
fn kind(field: &[u8], rules: &ColumnRules) -> u8 {
    if rules.declared == Some(ColumnType::Text) {
        return TEXT;
    }
    if rules.has_plain_numbers() {
        match plain_number(field) {
            Some(INTEGER) if field.len() <= EXACT_DIGITS => return INTEGER,
            Some(FLOAT) => return FLOAT,
            _ => {}
        }
    }
    let Ok(text) = std::str::from_utf8(field) else { return TEXT };
    if let Some(notation) = &rules.date
        && notation.microseconds(text).is_some()
    {
        return if notation.has_time() { TIME } else { DATE };
    }
    match field.first() {
        Some(b't' | b'T' | b'f' | b'F')
            if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") =>
        {
            BOOLEAN
        }
        Some(b'0'..=b'9') if rules.date.is_none() && field.get(4) == Some(&b'-') && field.len() >= 10 => {
            moment(text)
        }
        Some(b'0'..=b'9' | b'+' | b'-' | b'.' | b',' | b'n' | b'N' | b'i' | b'I') => {
            rules.number(text).map_or(TEXT, |text| number(&text, rules.declared.is_some()))
        }
        _ => TEXT,
    }
}

/// The kind of a text that may be a number, in the form that parsers take. Leading zeros are lost in numbers: where the spec does
/// not name a type, a text with them is an id.
fn number(text: &str, declared: bool) -> u8 {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_id = digits.len() > 1
        && digits.starts_with('0')
        && digits.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    if is_id && !declared {
        return TEXT;
    }
    if let Some(whole) = Int64Type::parse(text) {
        return if whole.unsigned_abs() <= EXACT_LIMIT { INTEGER } else { BIG_INTEGER };
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        // A whole number that no integer holds: as a number with a fraction it would be another one.
        return TEXT;
    }
    match Float64Type::parse(text) {
        Some(value)
            if value.is_infinite()
                && digits.starts_with(|sign: char| sign.is_ascii_digit() || sign == '.') =>
        {
            TEXT
        }
        Some(_) => FLOAT,
        None => TEXT,
    }
}

/// [`INTEGER`] or [`FLOAT`] for the common forms of numbers, which every parser reads: `-?digits(.digits)?` without leading zeros.
fn plain_number(field: &[u8]) -> Option<u8> {
    let digits = field.strip_prefix(b"-").unwrap_or(field);
    let whole = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if whole == 0 || (whole > 1 && digits.first() == Some(&b'0')) {
        return None;
    }
    match digits.get(whole..) {
        Some([]) => Some(INTEGER),
        Some([b'.', fraction @ ..])
            if digits.len() < 300 && !fraction.is_empty() && fraction.iter().all(u8::is_ascii_digit) =>
        {
            Some(FLOAT)
        }
        _ => None,
    }
}

/// A text that begins like `2026-`.
fn moment(text: &str) -> u8 {
    if text.len() == 10 && Date32Type::parse(text).is_some() {
        DATE
    } else if text.len() > 10
        && !is_finer_than_microseconds(text)
        && TimestampMicrosecondType::parse(text).is_some()
    {
        let clock = text.get(11..).unwrap_or_default();
        if clock.contains(['Z', 'z', '+', '-', ' ']) { ZONED_TIME } else { TIME }
    } else {
        TEXT
    }
}

/// Whether a time has digits that microseconds do not hold, which parsing would cut off.
fn is_finer_than_microseconds(text: &str) -> bool {
    let Some((_, fraction)) = text.split_once('.') else { return false };
    let digits = fraction.bytes().take_while(u8::is_ascii_digit);
    digits.skip(6).any(|digit| digit != b'0')
}

#[cfg(test)]
mod tests {
    use mlpipeline_crds::Reading;

    use super::*;
    use crate::table::text::rules::FileRules;

    fn type_of(fields: &[&str]) -> String {
        let (mut kinds, rules) = (TextKinds::default(), ColumnRules::default());
        for field in fields {
            kinds.add(field.as_bytes(), &rules).expect("no type is named");
        }
        kinds.data_type(&rules).to_string()
    }

    #[test]
    fn a_column_has_the_narrowest_type_that_holds_every_field() {
        let rows: [(&[&str], &str); 38] = [
            (&["1", "-2", "", "9223372036854775807"], "Int64"),
            (&["1", "2", "2.5"], "Float64"),
            (&["1", "9223372036854775808"], "Utf8"),
            (&["1", "-9223372036854775808"], "Int64"),
            (&["12345678901234567890"], "Utf8"),
            (&["9007199254740993", "1"], "Int64"),
            (&["9007199254740993", "1.5"], "Utf8"),
            (&["9007199254740992", "1.5"], "Float64"),
            (&["007", "07302"], "Utf8"),
            (&["1", "00"], "Utf8"),
            (&["-01"], "Utf8"),
            (&["0001E5"], "Utf8"),
            (&["01.5"], "Utf8"),
            (&["0", "-0.5", "0.5"], "Float64"),
            (&["1", "1e400"], "Utf8"),
            (&["2026-01-31T10:00:00.123456789"], "Utf8"),
            (&["2026-01-31T10:00:00.123456000"], "Timestamp(µs)"),
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
    fn a_field_that_is_not_of_the_type_that_the_spec_names_is_refused() {
        for (declared, good, bad) in [
            (ColumnType::Text, "1", None),
            (ColumnType::Integer, "007", Some("1.5")),
            (ColumnType::Number, "1", Some("x")),
            (ColumnType::Boolean, "TRUE", Some("1")),
            (ColumnType::Date, "2026-01-31", Some("31.01.2026")),
            (ColumnType::Timestamp, "2026-01-31", Some("2026-01-31T10:00:00Z")),
        ] {
            let reading = Reading { types: [("x".to_owned(), declared)].into(), ..Reading::default() };
            let rules = FileRules::new(&reading).and_then(|rules| rules.column("x")).expect("rules");
            let mut kinds = TextKinds::default();
            assert_eq!(kinds.add(good.as_bytes(), &rules), Ok(()), "{good}");
            if let Some(bad) = bad {
                assert_eq!(kinds.add(bad.as_bytes(), &rules), Err(declared), "{bad}");
            }
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
            let rules = ColumnRules::default();
            kinds.add(field.as_bytes(), &rules).expect("no type is named");
            let parsed = match kinds.data_type(&rules) {
                DataType::Int64 => Int64Type::parse(field).is_some(),
                DataType::Float64 => Float64Type::parse(field).is_some(),
                _ => true,
            };
            assert!(parsed, "{field}");
        }
    }
}
