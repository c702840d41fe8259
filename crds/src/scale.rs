//! How columns are brought to a common size.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the numbers of a column are brought to a size that they share with others: `standard` by mean and standard deviation, `minMax` to
/// 0 to 1, for what compares distances or penalizes weights. When absent, that of the step for a column, and `none` for the step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Scale {
    /// They stay as they are.
    #[default]
    None,
    /// The mean is subtracted, and the rest divided by the standard deviation.
    Standard,
    /// The smallest number becomes 0, and the largest 1.
    MinMax,
}

impl Scale {
    /// Its name, as in a spec.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Standard => "standard",
            Self::MinMax => "minMax",
        }
    }
}
