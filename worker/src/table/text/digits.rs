//! The common forms of numbers and dates in short fields, recognised and read eight bytes at a time.
//!
//! Owns no rule of its own: what is found or read here, the parsers of the engine find and read alike, to the last bit; whatever
//! else a field may be is left to them. Most fields of most files are read here alone, several times as fast.

use super::gather;

/// The most bytes of a field that is looked at here.
const MOST_BYTES: usize = 16;

/// So many digits are exact as a number with a fraction.
const EXACT_DIGITS: usize = 15;

/// The lowest bit of each byte.
const LOWEST: u64 = 0x0101_0101_0101_0101;

/// The powers of ten with as many digits as are read here; all of them are exact as numbers with a fraction.
const POWERS: [u64; 16] = [
    1,
    10,
    100,
    1000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
    1_000_000_000,
    10_000_000_000,
    100_000_000_000,
    1_000_000_000_000,
    10_000_000_000_000,
    100_000_000_000_000,
    1_000_000_000_000_000,
];

/// What a short field is, if it is written in a common form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plain {
    /// A whole number of at most 15 digits, without a leading zero.
    Integer,
    /// A number with a fraction, without a leading zero before its whole part.
    Number,
    /// A day, as in 2026-01-31.
    Date,
}

/// The form of a field; `None` where it is none of the common ones.
pub(super) fn plain(field: &[u8]) -> Option<Plain> {
    let Some(others) = others(field) else {
        return is_long_number(field).then_some(Plain::Number);
    };
    if others == 0b1001_0000 && field.len() == 10 {
        return is_date(field).then_some(Plain::Date);
    }
    let (digits, others) = unsigned(field, others);
    if let [b'0', next, ..] = digits
        && next.is_ascii_digit()
    {
        return None;
    }
    match point(digits, others)? {
        None => (digits.len() <= EXACT_DIGITS).then_some(Plain::Integer),
        Some(_) => Some(Plain::Number),
    }
}

/// Whether a field of more than 16 bytes is a number with a fraction, without a leading zero before its whole part. Programs that
/// write every digit of such numbers fill whole files with them.
fn is_long_number(field: &[u8]) -> bool {
    /// More digits could be beyond the largest number.
    const MOST_DIGITS: usize = 300;
    let digits = field.strip_prefix(b"-").unwrap_or(field);
    let before = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if before == 0 || (before > 1 && digits.first() == Some(&b'0')) || digits.len() >= MOST_DIGITS {
        return false;
    }
    matches!(digits.get(before..), Some([b'.', after @ ..]) if !after.is_empty() && after.iter().all(u8::is_ascii_digit))
}

/// The whole number of a field `-?digits` of at most 15 digits; `None` for all others.
pub(super) fn integer(field: &[u8]) -> Option<i64> {
    let (digits, others) = unsigned(field, others(field)?);
    if digits.is_empty() || digits.len() > EXACT_DIGITS || others != 0 {
        return None;
    }
    let value = i64::try_from(whole(digits)?).ok()?;
    Some(if digits.len() < field.len() { -value } else { value })
}

/// The number of a field `-?digits(.digits)?` of at most 15 digits; `None` for all others.
///
/// It is the nearest number to what is written: both the digits as a whole number and the power of ten are exact, so that only
/// the division rounds (W. D. Clinger, How to read floating point numbers accurately, 1990).
pub(super) fn number(field: &[u8]) -> Option<f64> {
    let (digits, others) = unsigned(field, others(field)?);
    let value = match point(digits, others)? {
        None if digits.len() <= EXACT_DIGITS => whole(digits)? as f64,
        Some(point) if digits.len() <= EXACT_DIGITS + 1 => {
            let (before, after) = (digits.get(..point)?, digits.get(point + 1..)?);
            let power = *POWERS.get(after.len())?;
            (whole(before)? * power + whole(after)?) as f64 / power as f64
        }
        _ => return None,
    };
    Some(if digits.len() < field.len() { -value } else { value })
}

/// The field behind a minus sign, and which of its bytes are no digits.
fn unsigned(field: &[u8], others: u32) -> (&[u8], u32) {
    match field {
        [b'-', digits @ ..] => (digits, others >> 1),
        _ => (field, others),
    }
}

/// Where the point is in `digits(.digits)?`, if there is one; `None` for texts of another form.
fn point(digits: &[u8], others: u32) -> Option<Option<usize>> {
    if others == 0 {
        return (!digits.is_empty()).then_some(None);
    }
    let at = others.trailing_zeros() as usize;
    let alone = others & (others - 1) == 0;
    (alone && at > 0 && at + 1 < digits.len() && digits.get(at) == Some(&b'.')).then_some(Some(at))
}

/// Whether ten bytes whose fifth and eighth alone are no digits are a day that every month has.
fn is_date(field: &[u8]) -> bool {
    let [_, _, _, _, b'-', m, n, b'-', d, e] = field else { return false };
    let two = |tens: u8, ones: u8| (tens & 15) * 10 + (ones & 15);
    (1..=12).contains(&two(*m, *n)) && (1..=28).contains(&two(*d, *e))
}

/// Which bytes of a field are no digits, the first one as the lowest bit; `None` when it has more than 16 bytes.
fn others(field: &[u8]) -> Option<u32> {
    let (first, second) = words(field)?;
    let others =
        if field.len() <= 8 { other_bytes(first) } else { other_bytes(first) | other_bytes(second) << 8 };
    // What lies behind the field is no digit either.
    Some(others & ((1 << field.len()) - 1))
}

/// Which bytes of a word are no digits, as eight bits.
fn other_bytes(word: u64) -> u32 {
    let values = word ^ (LOWEST * u64::from(b'0'));
    // The highest bit of a byte is set where its value is above nine; no sum reaches the next byte.
    let above = ((values & (LOWEST * 0x7f)) + LOWEST * (0x80 - 10)) | values;
    gather((above >> 7) & LOWEST) as u32
}

/// A field of at most 16 bytes as two words, the first byte lowest, with zeros behind it. Read with loads that overlap, for what
/// has the same length in every row is rare.
#[inline]
fn words(field: &[u8]) -> Option<(u64, u64)> {
    if let (Some(first), Some(last)) = (field.first_chunk(), field.last_chunk()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        if field.len() <= 8 {
            return Some((u64::from(first) | u64::from(last) << (8 * (field.len() - 4)), 0));
        }
    } else {
        let byte = |at: usize| u64::from(field.get(at).copied().unwrap_or_default()) << (8 * at);
        return Some((byte(0) | byte(1) | byte(2), 0));
    }
    let (first, last) = (field.first_chunk()?, field.last_chunk()?);
    let missing = MOST_BYTES.checked_sub(field.len())? as u32;
    Some((u64::from_le_bytes(*first), u64::from_le_bytes(*last) >> (8 * missing)))
}

/// The value of at most 16 digits.
fn whole(digits: &[u8]) -> Option<u64> {
    let (first, second) = words(digits)?;
    let behind = digits.len().saturating_sub(8);
    let first = eight_digits(first, digits.len() - behind);
    if behind == 0 {
        return Some(first);
    }
    Some(first * POWERS.get(behind)? + eight_digits(second, behind))
}

/// The value of the first `count` bytes of a word, which are digits, at most eight.
///
/// Digits become pairs, pairs fours and fours eights, each by one multiplication for all of them (D. Lemire, Quickly parsing
/// eight digits, 2018).
fn eight_digits(word: u64, count: usize) -> u64 {
    // Moved up, so that zeros come first.
    let missing = 8_usize.saturating_sub(count) as u32;
    let digits = (word ^ (LOWEST * u64::from(b'0'))).checked_shl(8 * missing).unwrap_or(0);
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let low = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
    let high = ((pairs >> 16) & 0x0000_00ff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
    low.wrapping_add(high) >> 32
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::compute::kernels::cast_utils::Parser;
    use datafusion::arrow::datatypes::{Date32Type, Float64Type, Int64Type};

    use super::*;

    #[test]
    fn common_forms_are_recognised_and_nothing_else_is() {
        for (field, expected) in [
            ("0", Some(Plain::Integer)),
            ("-7", Some(Plain::Integer)),
            ("123456789012345", Some(Plain::Integer)),
            ("-123456789012345", Some(Plain::Integer)),
            ("1234567890123456", None),
            ("12345678901234567", None),
            ("007", None),
            ("-01", None),
            ("00.5", None),
            ("0.5", Some(Plain::Number)),
            ("-123456.7890123", Some(Plain::Number)),
            ("1.", None),
            (".5", None),
            ("1.5.5", None),
            ("1,5", None),
            ("", None),
            ("-", None),
            ("--1", None),
            ("+1", None),
            ("1e5", None),
            ("-0.12345678901234567", Some(Plain::Number)),
            ("00.12345678901234567", None),
            ("0.1234567890123456x", None),
            ("12345678901234567.", None),
            ("1 ", None),
            ("2026-01-31", None),
            ("2026-01-28", Some(Plain::Date)),
            ("2026-13-01", None),
            ("2026-00-01", None),
            ("2026-01-00", None),
            ("2026/01-01", None),
            ("٣", None),
        ] {
            assert_eq!(plain(field.as_bytes()), expected, "{field:?}");
        }
    }

    fn agrees(text: &str) -> Result<(), proptest::test_runner::TestCaseError> {
        if let Some(value) = integer(text.as_bytes()) {
            proptest::prop_assert_eq!(Int64Type::parse(text), Some(value), "{:?}", text);
        }
        if let Some(value) = number(text.as_bytes()) {
            let parsed = Float64Type::parse(text).map(f64::to_bits);
            proptest::prop_assert_eq!(parsed, Some(value.to_bits()), "{:?}", text);
        }
        match plain(text.as_bytes()) {
            Some(Plain::Integer) => proptest::prop_assert!(Int64Type::parse(text).is_some(), "{:?}", text),
            Some(Plain::Number) => proptest::prop_assert!(Float64Type::parse(text).is_some(), "{:?}", text),
            Some(Plain::Date) => proptest::prop_assert!(Date32Type::parse(text).is_some(), "{:?}", text),
            None => {}
        }
        Ok(())
    }

    proptest::proptest! {
        #[test]
        fn what_is_read_here_is_what_the_engine_reads(text in "-?[0-9]{0,17}(\\.[0-9]{0,17})?|[-+0-9.eé ]{0,17}|[0-9]{4}-[0-9]{2}-[0-9]{2}") {
            agrees(&text)?;
        }

        /// Common numbers are read here, not left to the engine.
        #[test]
        fn short_numbers_are_read_here(whole in 0_u64..1_000_000, fraction in "[0-9]{1,8}", minus in proptest::bool::ANY) {
            let sign = if minus { "-" } else { "" };
            let text = format!("{sign}{whole}.{fraction}");
            proptest::prop_assert!(number(text.as_bytes()).is_some() && plain(text.as_bytes()) == Some(Plain::Number));
            let text = format!("{sign}{whole}");
            proptest::prop_assert!(integer(text.as_bytes()).is_some() && plain(text.as_bytes()) == Some(Plain::Integer));
            agrees(&text)?;
        }
    }
}
