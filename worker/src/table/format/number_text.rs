//! Numbers as decimal text: the quick way for those of few digits, as nearly all numbers of tables are.
//!
//! Owns digits in eights, and why a short decimal is the text of a number. Must not know a format.
//!
//! A number with a fraction is written as the shortest decimal that reads back as it. Where a decimal of at most 15 digits reads back
//! as the number, it is that shortest one, since no two decimals of so few digits are the same 64-bit float. And a decimal reads back as the
//! quotient of its digits and a power of ten where both are exact as floats (W. D. Clinger, "How to read floating point numbers
//! accurately", PLDI 1990). So one division shows what a search for the shortest decimal would find.

/// Powers of ten, as floats, which hold them exactly.
const POWERS: [f64; 15] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14];

/// The most digits behind the point.
const MOST_PLACES: usize = POWERS.len() - 1;

/// The least number that is written without an exponent, but for zero.
const LEAST: f64 = 1e-5;

/// The first number of 15 digits before the point: one digit behind it is always written.
const TOO_LARGE: f64 = 1e14;

/// The first whole number of 16 digits.
const DIGITS_15: f64 = 1e15;

/// A float of this size and more, up to twice as much, is a whole number: 2^52.
const NO_FRACTION: f64 = 4_503_599_627_370_496.0;

/// The first whole number of nine digits.
const DIGITS_8: u64 = 100_000_000;

/// Eight times the digit zero.
const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);

/// The numbers of a column, of which one has about as many digits behind the point as the one before.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShortDecimals {
    /// The digits behind the point that are tried first, from 1 on.
    places: usize,
}

impl ShortDecimals {
    pub(super) fn new() -> Self {
        Self { places: 1 }
    }

    /// Appends a number's text, like `-0.25` or `3.0`. False, and nothing is appended, where the number has more digits, or is one that is
    /// written with an exponent or by a name.
    pub(super) fn append(&mut self, number: f64, out: &mut Vec<u8>) -> bool {
        let size = number.abs();
        // What is not a number is in no range.
        if !((LEAST..TOO_LARGE).contains(&size) || size == 0.0) {
            return false;
        }
        let tried = exactly(size, self.places).map(|digits| (digits, self.places));
        let Some((digits, places)) = tried.or_else(|| self.with_most_places(size)) else { return false };
        if number.is_sign_negative() {
            out.push(b'-');
        }
        append_decimal(digits, places, out);
        true
    }

    /// A number's digits with as many behind the point as there is room for; the next numbers are tried with those that it has.
    #[cold]
    fn with_most_places(&mut self, size: f64) -> Option<(u64, usize)> {
        let most = POWERS.iter().rposition(|power| size * power < DIGITS_15)?;
        let digits = exactly(size, most)?;
        let zeros = (1..most).take_while(|zeros| digits.is_multiple_of(10_u64.pow(*zeros as u32))).count();
        self.places = self.places.max(most - zeros);
        Some((digits, most))
    }
}

/// The whole number of at most 15 digits that is this number times a power of ten, if there is one.
fn exactly(size: f64, places: usize) -> Option<u64> {
    let power = POWERS.get(places)?;
    // The sum has no bits for a fraction, so its last bits are the nearest whole number. Whatever that is, the division decides.
    let sum = size * power + NO_FRACTION;
    let whole = sum - NO_FRACTION;
    let is_exact = whole < DIGITS_15 && whole / power == size;
    is_exact.then_some(sum.to_bits() & (NO_FRACTION as u64 - 1))
}

/// Appends a decimal of at most 15 digits, so many of them behind the point, but no zeros at the end beyond the first.
fn append_decimal(digits: u64, places: usize, out: &mut Vec<u8>) {
    let places = places.clamp(1, MOST_PLACES);
    if digits < DIGITS_8 && places < 8 {
        let (text, point) = (eight_digits(digits as u32), 8 - places);
        let first = leading_zeros(text).min(point - 1);
        append_part(text >> (8 * first), point - first, out);
        out.push(b'.');
        return append_part(text >> (8 * point), (8 - ending_zeros(text)).max(point + 1) - point, out);
    }
    let (high, low) = (eight_digits((digits / DIGITS_8) as u32), eight_digits((digits % DIGITS_8) as u32));
    let mut text = [b'0'; 16];
    for (to, from) in text.iter_mut().zip(high.to_le_bytes().into_iter().chain(low.to_le_bytes())) {
        *to = from;
    }
    let (whole, fraction) = text.split_at(16 - places);
    let first = whole.iter().position(|digit| *digit != b'0').unwrap_or(whole.len() - 1);
    let end = fraction.iter().rposition(|digit| *digit != b'0').unwrap_or(0);
    out.extend_from_slice(whole.get(first..).unwrap_or_default());
    out.push(b'.');
    out.extend_from_slice(fraction.get(..=end).unwrap_or_default());
}

/// Appends a whole number.
pub(super) fn append_integer(number: i64, out: &mut Vec<u8>) {
    if number < 0 {
        out.push(b'-');
    }
    append_whole(number.unsigned_abs(), out);
}

fn append_whole(number: u64, out: &mut Vec<u8>) {
    if number < DIGITS_8 {
        let text = eight_digits(number as u32);
        let first = leading_zeros(text).min(7);
        return append_part(text >> (8 * first), 8 - first, out);
    }
    append_whole(number / DIGITS_8, out);
    append_part(eight_digits((number % DIGITS_8) as u32), 8, out);
}

/// Appends the first bytes of a text of eight.
fn append_part(text: u64, bytes: usize, out: &mut Vec<u8>) {
    let before = out.len();
    // A fixed number of bytes is copied by one instruction.
    out.extend_from_slice(&text.to_le_bytes());
    out.truncate(before + bytes);
}

/// How many zeros come first among eight digits.
fn leading_zeros(text: u64) -> usize {
    ((text ^ ZEROS).trailing_zeros() / 8) as usize
}

/// How many zeros come last among eight digits.
fn ending_zeros(text: u64) -> usize {
    ((text ^ ZEROS).leading_zeros() / 8) as usize
}

/// The digits of a number below 10^8, the first in the lowest byte. Each step divides all parts of the number at once: into fours, pairs and
/// single digits.
fn eight_digits(number: u32) -> u64 {
    let fours = u64::from(number / 10_000) | u64::from(number % 10_000) << 32;
    // ÷ 100 and ÷ 10 as products with a fraction that is exact enough for numbers of so few digits.
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007F_0000_007F;
    let pairs = hundreds | (fours - 100 * hundreds) << 16;
    let tens = ((pairs * 103) >> 10) & 0x000F_000F_000F_000F;
    (tens | (pairs - 10 * tens) << 8) + ZEROS
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array};
    use datafusion::arrow::util::display::array_value_to_string;
    use proptest::prelude::*;

    use super::*;

    /// The definition: as Arrow writes a value.
    fn by_definition(array: ArrayRef) -> Vec<String> {
        (0..array.len()).map(|row| array_value_to_string(&array, row).expect("a text")).collect()
    }

    fn shown(numbers: &[f64]) -> Vec<Option<String>> {
        let mut column = ShortDecimals::new();
        let text = |number: &f64| {
            let mut out = b"before".to_vec();
            let is_short = column.append(*number, &mut out);
            let text = String::from_utf8(out).expect("digits").strip_prefix("before").map(str::to_owned);
            assert_eq!(text.as_deref() != Some(""), is_short);
            text.filter(|_| is_short)
        };
        numbers.iter().map(text).collect()
    }

    fn check(numbers: Vec<f64>) {
        let expected = by_definition(std::sync::Arc::new(Float64Array::from(numbers.clone())));
        for ((number, found), expected) in numbers.iter().zip(shown(&numbers)).zip(expected) {
            assert!(found.is_none_or(|found| found == expected), "{number:e} is {expected}");
        }
    }

    #[test]
    fn every_part_of_eight_digits_is_right() {
        for number in 0..10_000 {
            for (number, text) in
                [(number, format!("{number:08}")), (number * 10_000 + 9_999, format!("{number:04}9999"))]
            {
                assert_eq!(eight_digits(number).to_le_bytes(), text.as_bytes());
            }
        }
    }

    #[test]
    fn short_decimals_are_written_and_long_ones_are_left() {
        let numbers =
            [0.0, -0.0, 0.1, -1.5, 3.0, 0.00001, 99_999_999_999_999.0, 0.123_456, 123_456.75, 1.0, 100.25];
        let text = shown(&numbers).into_iter().map(|text| text.expect("a short decimal"));
        let expected = ["0.0", "-0.0", "0.1", "-1.5", "3.0", "0.00001", "99999999999999.0", "0.123456"];
        assert_eq!(text.collect::<Vec<_>>(), [&expected[..], &["123456.75", "1.0", "100.25"]].concat());
        let long = [0.1 + 0.2, 1.0 / 3.0, 1e-6, 1e14, 1e300, f64::MIN_POSITIVE, f64::NAN, f64::INFINITY];
        assert!(shown(&long).iter().all(Option::is_none));
        check([&numbers[..], &long].concat());
    }

    #[test]
    fn whole_numbers_of_every_length_are_written() {
        let mut numbers = vec![0, i64::MIN, i64::MAX];
        for digits in 0..19 {
            let power = 10_i64.pow(digits);
            numbers.extend([
                power,
                power - 1,
                -power,
                1 - power,
                power / 7 * 3,
                123_456_789_012_345_678 / power,
            ]);
        }
        for (number, expected) in
            numbers.iter().zip(by_definition(std::sync::Arc::new(Int64Array::from(numbers.clone()))))
        {
            let mut out = Vec::new();
            append_integer(*number, &mut out);
            assert_eq!(String::from_utf8(out).expect("digits"), expected);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn decimals_of_any_length_are_as_arrow_writes_them(
            decimals in prop::collection::vec((any::<i64>(), 0..20_u32, 0..330_i32), 1..50)
        ) {
            let number = |(digits, cut, exponent): (i64, u32, i32)| {
                let digits = digits / 10_i64.checked_pow(cut).unwrap_or(i64::MAX);
                let exponent = if exponent < 300 { exponent % 24 - 18 } else { exponent };
                format!("{digits}e{exponent}").parse::<f64>().expect("a number")
            };
            check(decimals.into_iter().map(number).collect());
        }

        #[test]
        fn numbers_of_any_bits_are_as_arrow_writes_them(bits in prop::collection::vec(any::<u64>(), 1..50)) {
            check(bits.into_iter().map(f64::from_bits).collect());
        }

        #[test]
        fn whole_numbers_are_as_arrow_writes_them(number in any::<i64>(), cut in 0..64_u32) {
            let number = number >> cut;
            let mut out = Vec::new();
            append_integer(number, &mut out);
            prop_assert_eq!(String::from_utf8(out).expect("digits"), number.to_string());
        }
    }
}
