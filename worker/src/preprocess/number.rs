//! Numbers: as they are; where one is missing, the median of the training rows, and a column that says so.

use serde::{Deserialize, Serialize};

use crate::exact;

/// What is done with a column of numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NumberTransform {
    /// What takes the place of a missing value; absent where none may be missing.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "exact::optional")]
    pub impute: Option<f64>,
    /// Whether a second column is 1 where the value is missing, and 0 elsewhere.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub indicator: bool,
}

impl NumberTransform {
    /// Fits to the values of the training rows that are not missing, of a column in which some value is missing somewhere.
    #[must_use]
    pub fn fit(values: &mut [f64], indicator: bool) -> Self {
        Self { impute: Some(median(values)), indicator }
    }

    pub(super) fn width(&self) -> usize {
        1 + usize::from(self.indicator)
    }

    pub(super) fn encode(&self, value: f64, out: &mut [f64]) {
        let missing = value.is_nan();
        let value = if missing { self.impute.unwrap_or(value) } else { value };
        out.iter_mut().zip([value, f64::from(u8::from(missing))]).for_each(|(out, value)| *out = value);
    }

    pub(super) fn problem(&self) -> Option<String> {
        (self.indicator && self.impute.is_none())
            .then(|| "a column with an indicator has no value to impute".to_owned())
    }
}

/// The median: of an even count the mean of the two in the middle, as scikit-learn's `SimpleImputer` has it; 0 of no values.
pub(super) fn median(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = (values.len() - 1) / 2;
    let lower = *values.select_nth_unstable_by(middle, f64::total_cmp).1;
    if values.len() % 2 == 1 {
        return lower;
    }
    // What is behind the lower one is not below it, and the least of that is the upper one.
    let behind = values.get(values.len() / 2..).unwrap_or_default();
    let upper = behind.iter().copied().min_by(f64::total_cmp).unwrap_or(lower);
    let mean = (lower + upper) / 2.0;
    if mean.is_finite() { mean } else { lower / 2.0 + upper / 2.0 }
}
