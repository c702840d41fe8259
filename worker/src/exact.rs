//! Numbers in JSON that survive a round trip bit by bit.
//!
//! serde_json writes the shortest text that stands for a number, but reads it back with an error of up to one unit in the
//! last place, so that a model loaded would not be the model trained. Here the digits go through the standard library's
//! parser, which rounds correctly. Must not know what the numbers mean.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// One finite number, exact in JSON.
#[derive(Clone, Copy)]
pub(crate) struct Exact(pub f64);

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0)
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let number: f64 = raw.get().parse().map_err(|_| D::Error::custom("expected a number"))?;
        if number.is_finite() { Ok(Self(number)) } else { Err(D::Error::custom("expected a finite number")) }
    }
}

pub(crate) fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    Exact(*number).serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Exact::deserialize(deserializer).map(|exact| exact.0)
}

/// A number that may be absent.
pub(crate) mod optional {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Exact;

    pub(crate) fn serialize<S: Serializer>(number: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
        number.map(Exact).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
        Exact::deserialize(deserializer).map(|exact| Some(exact.0))
    }
}

/// A row of exact numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row(pub Vec<f64>);

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let numbers = Vec::<Exact>::deserialize(deserializer)?;
        Ok(Self(numbers.into_iter().map(|exact| exact.0).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_finite_number_survives_a_round_trip(bits in any::<u64>()) {
            let number = f64::from_bits(bits);
            prop_assume!(number.is_finite());
            let text = serde_json::to_string(&Row(vec![number])).expect("a finite number is JSON");
            let read: Row = serde_json::from_str(&text).expect("what was written is read");
            prop_assert_eq!(read.0[0].to_bits(), bits);
        }
    }

    #[test]
    fn what_is_no_finite_number_is_refused() {
        for text in ["[1e999]", "[null]", "[\"1\"]", "[NaN]", "[[1]]", "[inf]", "[\"nan\"]"] {
            assert!(serde_json::from_str::<Row>(text).is_err(), "{text}");
        }
    }
}
