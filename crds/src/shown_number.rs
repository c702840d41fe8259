//! How a number is shown to people: with its digits, or with an exponent where those would be hundreds.

use std::fmt;

/// A number, for a message.
#[derive(Clone, Copy, Debug)]
pub struct Shown(pub f64);

impl fmt::Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number) = self;
        let is_short = *number == 0.0 || !number.is_finite() || (1e-6..1e16).contains(&number.abs());
        if is_short { write!(formatter, "{number}") } else { write!(formatter, "{number:e}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_digits_where_these_are_few_and_an_exponent_elsewhere() {
        let rows = [
            (0.0, "0"),
            (2.0, "2"),
            (-0.25, "-0.25"),
            (1e-6, "0.000001"),
            (123_456_789.5, "123456789.5"),
            (1e300, "1e300"),
            (-1.5e-300, "-1.5e-300"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
        ];
        for (number, shown) in rows {
            assert_eq!(Shown(number).to_string(), shown);
        }
    }
}
