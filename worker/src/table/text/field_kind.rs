//! What kind of text one field is: a number, a date, a time, or no more than text.
//!
//! A kind is found only where its type loses nothing: ids with leading zeros, whole numbers beyond 64 bits and times finer than the
//! type holds stay text.

use datafusion::arrow::compute::kernels::cast_utils::Parser;
use datafusion::arrow::datatypes::{Date32Type, Float64Type, Int64Type};
use mlpipeline_crds::ColumnType;

use super::date::{iso_microseconds, zone_of};
use super::plain_number::{ShortNumber, short_number};
use super::rules::ColumnRules;

pub(super) const BOOLEAN: u8 = 1;
pub(super) const INTEGER: u8 = 1 << 1;
pub(super) const FLOAT: u8 = 1 << 2;
pub(super) const DATE: u8 = 1 << 3;
pub(super) const TIME: u8 = 1 << 4;
pub(super) const ZONED_TIME: u8 = 1 << 5;
pub(super) const TEXT: u8 = 1 << 6;
/// A whole number of 64 bits that a number with a fraction does not hold exactly.
pub(super) const BIG_INTEGER: u8 = 1 << 7;

/// Whole numbers up to this one are exact as numbers with a fraction.
const EXACT_LIMIT: u64 = 1 << 53;

/// So many digits are always below [`EXACT_LIMIT`].
const EXACT_DIGITS: usize = 15;

/// Whether a field of this kind is a value of the type that the spec names.
pub(super) fn fits(kind: u8, declared: ColumnType) -> bool {
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

/// Whether a text is a value of the type that the spec names, in the usual notation.
pub(crate) fn is_of(text: &str, declared: ColumnType) -> bool {
    let rules = ColumnRules::declaring(declared);
    fits(kind(text.as_bytes(), &rules), declared)
}

/// The kind of a field of a few bytes as nearly all files have them, a number or a day of a month, where nobody says anything of the column;
/// `None` where it takes a closer look. It is the one that [`kind`] finds.
#[inline(always)]
pub(super) fn common_kind(field: &[u8]) -> Option<u8> {
    let digits = field.strip_prefix(b"-").unwrap_or(field);
    if let Some(number) = short_number(digits) {
        return plain_kind(digits, number);
    }
    is_plain_date(field).then_some(DATE)
}

/// Whether a text is a date such as 2026-01-31, of a day that every month has; of others, only a calendar knows.
fn is_plain_date(field: &[u8]) -> bool {
    let &[y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = field else { return false };
    let is_digit = |digit: u8| digit.is_ascii_digit();
    let number = |tens: u8, ones: u8| u32::from(tens) * 10 + u32::from(ones) - 11 * u32::from(b'0');
    [y0, y1, y2, y3, m0, m1, d0, d1].into_iter().all(is_digit)
        && (1..=12).contains(&number(m0, m1))
        && (1..=28).contains(&number(d0, d1))
}

/// The kind of one field that does not stand for null. What counts as a number, a date or a time is just what is parsed.
pub(super) fn kind(field: &[u8], rules: &ColumnRules) -> u8 {
    if rules.is_date_before_number()
        && let Some(kind) = std::str::from_utf8(field).ok().and_then(|text| in_notation(text, rules))
    {
        return kind;
    }
    if rules.has_plain_numbers() {
        match plain_number(field) {
            Some(INTEGER) if field.len() <= EXACT_DIGITS => return INTEGER,
            Some(FLOAT) => return FLOAT,
            _ => {}
        }
    }
    let Ok(text) = std::str::from_utf8(field) else { return TEXT };
    let kind = kind_of_text(field, text, rules);
    if kind != TEXT || rules.is_date_before_number() {
        return kind;
    }
    in_notation(text, rules).unwrap_or(TEXT)
}

/// The kind of a text that is written as dates are in the file or column, where the spec says how that is.
fn in_notation(text: &str, rules: &ColumnRules) -> Option<u8> {
    let notation = rules.date.as_ref().filter(|_| rules.may_be_date())?;
    notation.microseconds(text)?;
    Some(if notation.has_time() { TIME } else { DATE })
}

fn kind_of_text(field: &[u8], text: &str, rules: &ColumnRules) -> u8 {
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
    // A whole number with a plus sign is a telephone number as likely as not, and spaces are no part of a number.
    let has_plus = text.starts_with('+') && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !declared && (is_id || has_plus || text.ends_with(char::is_whitespace)) {
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
    if let Some(number) = short_number(digits) {
        return plain_kind(digits, number);
    }
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

/// The kind of a short number, of which these are the bytes without its sign; `None` where it has leading zeros, or none before or behind the point.
#[inline(always)]
fn plain_kind(digits: &[u8], number: ShortNumber) -> Option<u8> {
    let whole = number.places.map_or(digits.len(), |places| digits.len() - 1 - places);
    let is_plain = whole > 0 && number.places != Some(0) && (whole == 1 || digits.first() != Some(&b'0'));
    is_plain.then_some(if number.places.is_some() { FLOAT } else { INTEGER })
}

/// A text that begins like `2026-`.
fn moment(text: &str) -> u8 {
    if text.len() == 10 && Date32Type::parse(text).is_some() {
        DATE
    } else if text.len() > 10 && !is_finer_than_microseconds(text) && iso_microseconds(text).is_some() {
        if zone_of(text).is_empty() { TIME } else { ZONED_TIME }
    } else {
        TEXT
    }
}

/// Whether a time has digits that microseconds do not hold, which parsing would cut off.
pub(super) fn is_finer_than_microseconds(text: &str) -> bool {
    let Some((_, fraction)) = text.split_once('.') else { return false };
    let digits = fraction.bytes().take_while(u8::is_ascii_digit);
    digits.skip(6).any(|digit| digit != b'0')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5000))]

        #[test]
        fn a_common_field_is_of_the_kind_that_a_closer_look_finds(
            field in "-?[0-9]{0,9}\\.?[0-9]{0,3}|[0-3]{4}-[01][0-9]-[0-3][0-9]|[-+.0-9eé]{1,10}",
        ) {
            let found = common_kind(field.as_bytes());
            prop_assert!(found.is_none_or(|found| found == kind(field.as_bytes(), &ColumnRules::default())));
        }
    }
}
