//! Numbers in the form that nearly all files have, `-?digits(.digits)?`, read without a parser.
//!
//! Owns when a number of few digits is exact. What is not of this form, or has more digits, is left to the parsers; where this reads a
//! number, they read the same.
//!
//! Digits without the point are a whole number, and its quotient by a power of ten is the number, rounded once and so correctly, where both are exact
//! as floats (W. D. Clinger, "How to read floating point numbers accurately", PLDI 1990).

/// Powers of ten, as floats, which hold them exactly.
const POWERS: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// So many digits are always exact as a float.
const EXACT_DIGITS: usize = 15;

/// So many digits always fit into 64 bits.
const INTEGER_DIGITS: usize = 18;

/// The most bytes that are looked at together.
const WORD: usize = 8;

/// A number of at most eight bytes without a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ShortNumber {
    /// Its digits as a whole number.
    digits: u64,
    /// How many digits stand behind the point, if there is one.
    pub(super) places: Option<usize>,
}

/// Reads `digits(.digits)?` of at most eight bytes, where one of the digits may be missing before or behind the point; `None` for everything else.
/// All bytes are looked at together, and added up in three steps: digits to pairs, pairs to fours, fours to eight.
#[inline(always)]
pub(super) fn short_number(text: &[u8]) -> Option<ShortNumber> {
    const HIGHEST: u64 = u64::from_le_bytes([0x80; WORD]);
    let length = text.len();
    let own = u64::MAX.checked_shr(8 * WORD.checked_sub(length)? as u32)?;
    // A digit is now its value, and whatever is larger than nine is none.
    let values = (word(text) ^ u64::from_le_bytes([b'0'; WORD])) & own;
    let larger = (((values & !HIGHEST) + u64::from_le_bytes([0x76; WORD])) | values) & HIGHEST & own;
    let (values, count, places) = if larger == 0 {
        (values, length, None)
    } else {
        let at = (larger.trailing_zeros() / 8) as usize;
        if larger & (larger - 1) != 0 || text.get(at) != Some(&b'.') || length == 1 {
            return None;
        }
        let before = (1 << (8 * at)) - 1;
        ((values & before) | ((values >> 8) & !before), length - 1, Some(length - 1 - at))
    };
    // Zeros come before the first digit.
    let eight = values << (8 * (WORD - count));
    let pairs = (eight.wrapping_mul(10 << 8 | 1) >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs.wrapping_mul(100 << 16 | 1) >> 16) & 0x0000_FFFF_0000_FFFF;
    Some(ShortNumber { digits: fours.wrapping_mul(10_000 << 32 | 1) >> 32, places })
}

/// At most eight bytes, the first as the lowest.
#[inline(always)]
fn word(text: &[u8]) -> u64 {
    if let Some(eight) = text.first_chunk() {
        return u64::from_le_bytes(*eight);
    }
    match (text.first_chunk(), text.last_chunk()) {
        // The bytes that both hold are the same.
        (Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first))
                | u64::from(u32::from_le_bytes(*last)) << (8 * (text.len() - 4))
        }
        _ => text.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

/// A number with or without a fraction; `None` for what the parsers have to decide.
#[inline]
pub(super) fn plain_float(text: &[u8]) -> Option<f64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if let Some(number) = short_number(digits) {
        let size = number.digits as i64 as f64 / POWERS.get(number.places.unwrap_or(0))?;
        return Some(if digits.len() < text.len() { -size } else { size });
    }
    // One more for the point.
    if digits.len() > EXACT_DIGITS + 1 {
        return None;
    }
    let mut number = 0_u64;
    let mut point = None;
    for (at, byte) in digits.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            number = number * 10 + u64::from(digit);
        } else if *byte == b'.' && point.is_none() {
            point = Some(at);
        } else {
            return None;
        }
    }
    let (count, places) = match point {
        Some(at) => (digits.len() - 1, digits.len() - 1 - at),
        None => (digits.len(), 0),
    };
    let power = POWERS.get(places).filter(|_| (1..=EXACT_DIGITS).contains(&count))?;
    let size = number as i64 as f64 / power;
    Some(if digits.len() < text.len() { -size } else { size })
}

/// A whole number; `None` for what the parsers have to decide.
#[inline]
pub(super) fn plain_integer(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if let Some(ShortNumber { digits: size, places: None }) = short_number(digits) {
        return Some(if digits.len() < text.len() { -(size as i64) } else { size as i64 });
    }
    if digits.is_empty() || digits.len() > INTEGER_DIGITS {
        return None;
    }
    let mut number = 0_i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit >= 10 {
            return None;
        }
        number = number * 10 + i64::from(digit);
    }
    Some(if digits.len() < text.len() { -number } else { number })
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::compute::kernels::cast_utils::Parser;
    use datafusion::arrow::datatypes::{Float64Type, Int64Type};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_numbers_are_read_and_others_are_left() {
        for text in ["0", "-0", "1.5", "-0.25", "5.", ".5", "007", "123456789012345", "0.12345678901234"] {
            assert!(plain_float(text.as_bytes()).is_some(), "{text}");
        }
        for text in ["", "-", ".", "-.", "+1", "1e5", "1.2.3", "1234567890123456", "NaN", "--1", " 1", "1,5"]
        {
            assert_eq!(plain_float(text.as_bytes()), None, "{text}");
        }
        assert_eq!(plain_integer(b"-12"), Some(-12));
        for text in ["", "-", "1.", "+1", "1234567890123456789"] {
            assert_eq!(plain_integer(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn every_short_text_is_read_by_all_bytes_as_byte_by_byte() {
        let by_bytes = |text: &str| {
            let plain = text.replacen('.', "", 1);
            let is_plain =
                !plain.is_empty() && text.len() <= 8 && plain.bytes().all(|byte| byte.is_ascii_digit());
            let places = text.find('.').map(|at| text.len() - 1 - at);
            is_plain.then(|| ShortNumber { digits: plain.parse().expect("digits"), places })
        };
        let mut texts = vec![String::new()];
        for _ in 0..5 {
            texts = texts
                .iter()
                .flat_map(|text| ["", "0", "9", "5", ".", ":", "/"].map(|more| format!("{text}{more}")))
                .collect();
        }
        texts.extend(
            [
                "12345678",
                "1234567.",
                ".1234567",
                "0.123456",
                "99999999",
                "123456789",
                "12é4",
                "\u{b0}",
                "1\0",
            ]
            .map(String::from),
        );
        for text in texts {
            assert_eq!(short_number(text.as_bytes()), by_bytes(&text), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5000))]

        #[test]
        fn what_is_read_the_parsers_read_alike(text in "-?[0-9]{0,10}\\.?[0-9]{0,10}|[-+.0-9e]{0,8}") {
            if let Some(number) = plain_float(text.as_bytes()) {
                prop_assert_eq!(Float64Type::parse(&text).map(f64::to_bits), Some(number.to_bits()));
            }
            if let Some(number) = plain_integer(text.as_bytes()) {
                prop_assert_eq!(Int64Type::parse(&text), Some(number));
            }
        }
    }
}
