//! A column to predict from, as training saw it: what requests are checked by, and what pages show.

use serde::{Deserialize, Serialize};

use crate::exact;
use crate::preprocess::{Form, Spelling, TIME_RANGE, TimeKind};

/// A column to predict from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Feature {
    /// The column's name.
    pub name: String,
    /// Whether a value may be missing: it was in the training data.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// What values the training data had.
    pub values: Values,
}

/// What values a column had in training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Values {
    /// Numbers or booleans.
    Number(NumberValues),
    /// Texts.
    Text(TextValues),
    /// Dates or times.
    Time(TimeValues),
}

/// Numbers seen in training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NumberValues {
    /// What kind of numbers.
    pub kind: FeatureKind,
    /// The smallest value.
    #[serde(with = "exact")]
    pub min: f64,
    /// The largest value.
    #[serde(with = "exact")]
    pub max: f64,
    /// The mean of the values.
    #[serde(with = "exact")]
    pub mean: f64,
    /// A value for examples: the lower median, so it occurs in the data.
    #[serde(with = "exact")]
    pub example: f64,
}

/// The kind of a feature's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FeatureKind {
    /// Any number.
    Float,
    /// A whole number.
    Integer,
    /// False or true, which the model sees as 0 or 1.
    Boolean,
}

/// Texts seen in training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TextValues {
    /// The most frequent texts, the most frequent first; the first is the example.
    pub common: Vec<String>,
}

/// Dates or times seen in training, in milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TimeValues {
    /// Days, or points in time.
    pub kind: TimeKind,
    /// The earliest.
    pub min: i64,
    /// The latest.
    pub max: i64,
    /// One for examples: the lower median.
    pub example: i64,
}

/// Whether a text is a whole number or a boolean as those are written.
fn is_plain(text: &str) -> bool {
    matches!(text, "true" | "false") || text.parse::<i64>().is_ok_and(|number| number.to_string() == text)
}

impl Feature {
    /// The form of its values; true and false are numbers to what learns.
    #[must_use]
    pub fn form(&self) -> Form {
        match self.values {
            Values::Number(_) => Form::Number,
            Values::Text(_) => Form::Text,
            Values::Time(_) => Form::Time,
        }
    }

    /// Whether its column was text in training, whatever other values could be taken for. Whole numbers and booleans that were taken as
    /// texts were not written as texts: of those nothing is known.
    pub(super) fn was_text(&self) -> bool {
        matches!(&self.values, Values::Text(texts) if !texts.common.iter().all(|text| is_plain(text)))
    }

    /// How its texts spell booleans.
    #[must_use]
    pub fn spelling(&self) -> Spelling {
        match &self.values {
            Values::Text(texts) => Spelling::among(texts.common.iter().map(String::as_str)),
            Values::Number(_) | Values::Time(_) => Spelling::default(),
        }
    }

    /// Whether true and false are values of it.
    #[must_use]
    pub fn is_boolean(&self) -> bool {
        matches!(&self.values, Values::Number(numbers) if numbers.kind == FeatureKind::Boolean)
    }

    /// Whether all that it says is finite and within bounds.
    pub(super) fn is_sound(&self) -> bool {
        match &self.values {
            Values::Number(NumberValues { min, max, mean, example, .. }) => {
                [min, max, mean, example].into_iter().all(|number| number.is_finite())
            }
            Values::Text(_) => true,
            Values::Time(TimeValues { min, max, example, .. }) => {
                [min, max, example].into_iter().all(|time| TIME_RANGE.contains(time))
            }
        }
    }
}
