//! Columns brought to a common size: what is subtracted from their numbers, and by what the rest is divided.
//!
//! Owns the arithmetic, which an exported graph repeats to the last bit. Where the two numbers come from, training decides.

use serde::{Deserialize, Serialize};

use crate::exact;

/// What is done with one of the columns that the transforms make.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ColumnScale {
    /// Its place among them.
    pub column: u32,
    /// What is subtracted.
    #[serde(with = "exact")]
    pub center: f64,
    /// What the rest is divided by: more than 0.
    #[serde(with = "exact")]
    pub divisor: f64,
}

impl ColumnScale {
    /// A number at this scale. What is missing stays missing.
    #[must_use]
    pub fn apply(&self, value: f64) -> f64 {
        (value - self.center) / self.divisor
    }
}

/// What is wrong with the scales, where these of all columns may have one.
pub(super) fn problem(scales: &[ColumnScale], may_have_one: &[bool]) -> Option<String> {
    let is_placed =
        |scale: &ColumnScale| may_have_one.get(scale.column as usize).copied().unwrap_or_default();
    let is_ordered = scales.is_sorted_by(|ours, theirs| ours.column < theirs.column);
    let is_sound = |scale: &ColumnScale| {
        scale.center.is_finite() && scale.divisor.is_finite() && scale.divisor > 0.0 && is_placed(scale)
    };
    (!is_ordered || !scales.iter().all(is_sound))
        .then(|| "the scales are not each of another column of numbers, in their order".to_owned())
}
