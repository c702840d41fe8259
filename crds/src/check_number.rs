//! A number of a check, which whole numbers of 64 bits are held exactly by.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The largest whole number up to which a 64-bit number with a fraction holds each: 2⁵³.
const LARGEST_FLOAT: u128 = 1 << 53;

/// A number that values are compared with: a whole number as it is written, and any other in 64 bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CheckNumber {
    /// A whole number.
    Whole(i128),
    /// A number with a fraction, or one that is larger than whole numbers are.
    Float(f64),
}

impl CheckNumber {
    /// Reads a number as it is typed; `None` where it is none, or not finite.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(whole) = text.parse::<i128>()
            && i128::from(i64::MIN) <= whole
            && whole <= i128::from(u64::MAX)
        {
            return Some(Self::Whole(whole));
        }
        text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Self::from)
    }

    /// The nearest number of 64 bits.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "the nearest is what is asked for")]
    pub fn nearest(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Float(number) => number,
        }
    }
}

impl From<f64> for CheckNumber {
    /// 1.0 and 1 are the same number.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "it is compared with what comes back"
    )]
    fn from(number: f64) -> Self {
        let whole = number as i128;
        let is_whole = whole.unsigned_abs() <= LARGEST_FLOAT && (whole as f64).to_bits() == number.to_bits();
        if is_whole { Self::Whole(whole) } else { Self::Float(number) }
    }
}

impl PartialOrd for CheckNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(one), Self::Whole(other)) => Some(one.cmp(other)),
            (Self::Float(one), Self::Float(other)) => one.partial_cmp(other),
            (Self::Whole(one), Self::Float(other)) => compare(*one, *other),
            (Self::Float(one), Self::Whole(other)) => compare(*other, *one).map(Ordering::reverse),
        }
    }
}

/// A whole number compared with one that may have a fraction, neither of them rounded. No whole number of a check is near the ends of
/// 128 bits, to which a larger one is cut.
#[expect(
    clippy::cast_possible_truncation,
    reason = "towards zero, and what is cut off decides where the rest is equal"
)]
fn compare(whole: i128, other: f64) -> Option<Ordering> {
    let rest = if other.is_infinite() { Some(Ordering::Equal) } else { 0.0.partial_cmp(&other.fract()) };
    rest.map(|rest| whole.cmp(&(other as i128)).then(rest))
}

impl fmt::Display for CheckNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(whole) => whole.fmt(formatter),
            Self::Float(number) => number.fmt(formatter),
        }
    }
}

impl Serialize for CheckNumber {
    /// What a number with a fraction holds is written as one, as it was when checks had no others: fingerprints are made of it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Whole(whole) if whole.unsigned_abs() > LARGEST_FLOAT => {
                match (i64::try_from(whole), u64::try_from(whole)) {
                    (Ok(whole), _) => serializer.serialize_i64(whole),
                    (_, Ok(whole)) => serializer.serialize_u64(whole),
                    _ => serializer.serialize_f64(self.nearest()),
                }
            }
            number => serializer.serialize_f64(number.nearest()),
        }
    }
}

impl<'de> Deserialize<'de> for CheckNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = CheckNumber;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number")
            }

            fn visit_i64<E: Error>(self, whole: i64) -> Result<CheckNumber, E> {
                Ok(CheckNumber::Whole(whole.into()))
            }

            fn visit_u64<E: Error>(self, whole: u64) -> Result<CheckNumber, E> {
                Ok(CheckNumber::Whole(whole.into()))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<CheckNumber, E> {
                Ok(number.into())
            }
        }
        deserializer.deserialize_f64(Number)
    }
}

impl JsonSchema for CheckNumber {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        f64::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        f64::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_survive_json_and_others_are_written_as_they_always_were() {
        for (text, written) in [
            ("1", "1.0"),
            ("1.0", "1.0"),
            ("-3", "-3.0"),
            ("0.5", "0.5"),
            ("9007199254740992", "9007199254740992.0"),
            ("9007199254740993", "9007199254740993"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("18446744073709551615", "18446744073709551615"),
            ("1e300", "1e+300"),
            ("-1e300", "-1e+300"),
        ] {
            let number: CheckNumber = serde_json::from_str(text).expect("a number");
            assert_eq!(Some(number), CheckNumber::parse(text), "{text}");
            let found = serde_json::to_string(&number).expect("JSON");
            assert_eq!(found, written, "{text}");
            assert_eq!(serde_json::from_str::<CheckNumber>(&found).expect("a number"), number, "{text}");
        }
        for wrong in ["", "x", "inf", "NaN", "1e999", "1,5"] {
            assert_eq!(CheckNumber::parse(wrong), None, "{wrong}");
        }
        assert!(serde_json::from_str::<CheckNumber>("\"1\"").is_err());
    }

    #[test]
    fn whole_numbers_next_to_each_other_are_distinguished() {
        let of = |text| CheckNumber::parse(text).expect("a number");
        assert!(of("9007199254740993") > of("9007199254740992"));
        assert!(of("0.5") < of("1") && of("-0.5") > of("-1") && of("-0.5") < of("0"));
        // As near as 64 bits come to it, which is above it.
        assert!(CheckNumber::from(of("9007199254740995").nearest()) > of("9007199254740995"));
        assert!(CheckNumber::from(f64::INFINITY) > of("18446744073709551615"));
        assert!(CheckNumber::from(f64::NAN).partial_cmp(&of("1")).is_none());
        assert_eq!(of("9007199254740993").to_string(), "9007199254740993");
    }
}
