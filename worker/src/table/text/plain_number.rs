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

/// A number with or without a fraction; `None` for what the parsers have to decide.
pub(super) fn plain_float(text: &[u8]) -> Option<f64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
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
    let size = number as f64 / power;
    Some(if digits.len() < text.len() { -size } else { size })
}

/// A whole number; `None` for what the parsers have to decide.
pub(super) fn plain_integer(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
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
