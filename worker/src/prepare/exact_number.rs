//! Numbers in decimal digits, so that whole numbers and decimals are compared with what a check says as they are, and not by the nearest
//! number of 64 bits.

use datafusion::arrow::datatypes::i256;
use mlpipeline_crds::CheckNumber;

/// The largest power of ten that 256 bits hold.
const LARGEST_POWER: u32 = 76;

/// digits × 10^exponent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ExactNumber {
    digits: i256,
    exponent: i64,
}

/// A number in units of a scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Units {
    /// The largest whole number of units that is not above it; beyond 256 bits, one that no type holds, with the same sign.
    pub floor: i256,
    /// Whether it is more than that.
    pub has_rest: bool,
}

impl ExactNumber {
    /// Reads digits with a sign, a point and an exponent; `None` where it is something else, or needs more than 256 bits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (sign, number) = match number.strip_prefix('-') {
            Some(rest) => (i256::MINUS_ONE, rest),
            None => (i256::ONE, number.strip_prefix('+').unwrap_or(number)),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let ten = i256::from_i128(10);
        let (mut digits, mut exponent, mut any) = (i256::ZERO, i64::from(exponent), false);
        for (place, digit) in whole.chars().chain(fraction.chars()).enumerate() {
            let digit = i256::from_i128(digit.to_digit(10)?.into());
            digits = digits.checked_mul(ten)?.checked_add(digit)?;
            if place >= whole.len() {
                exponent -= 1;
            }
            any = true;
        }
        any.then_some(())?;
        Some(Self { digits: digits.checked_mul(sign)?, exponent }.plain())
    }

    /// The number of a check. One with a fraction is what the shortest digits say that stand for it: 0.1 is a tenth.
    pub(super) fn of(number: CheckNumber) -> Option<Self> {
        match number {
            CheckNumber::Whole(whole) => Some(Self { digits: i256::from_i128(whole), exponent: 0 }.plain()),
            CheckNumber::Float(number) => Self::parse(&format!("{number:e}")),
        }
    }

    /// Without zeros at the end, so that equal numbers look alike.
    fn plain(self) -> Self {
        let ten = i256::from_i128(10);
        let Self { mut digits, mut exponent } = self;
        if digits == i256::ZERO {
            return Self { digits, exponent: 0 };
        }
        while let (Some(fewer), Some(i256::ZERO)) = (digits.checked_div(ten), digits.checked_rem(ten)) {
            digits = fewer;
            exponent += 1;
        }
        Self { digits, exponent }
    }

    /// The number in units of 10^-scale.
    pub(super) fn units(self, scale: i8) -> Units {
        let shift = self.exponent + i64::from(scale);
        let is_negative = self.digits < i256::ZERO;
        let power = u32::try_from(shift.abs()).ok().filter(|power| *power <= LARGEST_POWER);
        let power = power.and_then(|power| i256::from_i128(10).checked_pow(power));
        if shift >= 0 {
            let floor = power.and_then(|power| self.digits.checked_mul(power));
            // No decimal has so many digits.
            let beyond = i256::from_i128(10).wrapping_pow(LARGEST_POWER);
            let beyond = if is_negative { beyond.wrapping_neg() } else { beyond };
            let floor = if self.digits == i256::ZERO { i256::ZERO } else { floor.unwrap_or(beyond) };
            return Units { floor, has_rest: false };
        }
        let parts = power.and_then(|power| {
            Some((self.digits.checked_div(power)?, self.digits.checked_rem(power)? != i256::ZERO))
        });
        // What is smaller than the smallest unit by so much has only the sign left.
        let (towards_zero, has_rest) = parts.unwrap_or((i256::ZERO, self.digits != i256::ZERO));
        let floor = if has_rest && is_negative {
            towards_zero.checked_sub(i256::ONE).unwrap_or(towards_zero)
        } else {
            towards_zero
        };
        Units { floor, has_rest }
    }
}

impl Units {
    /// The smallest whole number of units that is not below it.
    pub(super) fn ceiling(self) -> i256 {
        if self.has_rest { self.floor.checked_add(i256::ONE).unwrap_or(self.floor) } else { self.floor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> ExactNumber {
        ExactNumber::parse(text).expect("a number")
    }

    #[test]
    fn equal_numbers_are_equal_however_they_are_written() {
        for (one, other) in [
            ("1", "1.0"),
            ("100", "1e2"),
            ("+0.50", ".5"),
            ("-0", "0.000"),
            ("12.5e1", "125"),
            ("5e-3", "0.005"),
        ] {
            assert_eq!(number(one), number(other), "{one}");
        }
        for wrong in ["", "-", ".", "1.2.3", "e1", "1e", "x", "0x1", "1_0", "inf", &"9".repeat(90)] {
            assert_eq!(ExactNumber::parse(wrong), None, "{wrong}");
        }
        assert_eq!(ExactNumber::of(CheckNumber::Float(0.1)), Some(number("0.1")));
        assert_eq!(
            ExactNumber::of(CheckNumber::Whole(9_007_199_254_740_993)),
            Some(number("9007199254740993"))
        );
    }

    #[test]
    fn a_number_lies_between_the_units_around_it() {
        for (text, scale, floor, ceiling) in [
            ("9007199254740993", 0, 9_007_199_254_740_993, 9_007_199_254_740_993),
            ("0.5", 0, 0, 1),
            ("-0.5", 0, -1, 0),
            ("-1.25", 1, -13, -12),
            ("1.25", 2, 125, 125),
            ("1250", -2, 12, 13),
            ("1e-300", 2, 0, 1),
            ("-1e-300", 2, -1, 0),
            ("0e300", 2, 0, 0),
        ] {
            let units = number(text).units(scale);
            let found = (units.floor, units.ceiling());
            assert_eq!(found, (i256::from_i128(floor), i256::from_i128(ceiling)), "{text} at {scale}");
        }
        for (text, beyond) in [("1e300", "1e76"), ("-1e300", "-1e76")] {
            assert_eq!(number(text).units(0), number(beyond).units(0), "{text}");
        }
    }
}
