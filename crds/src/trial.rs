//! What is reported of a search for parameters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A trial of a search for parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trial {
    /// Its parameters, as in `train.algorithm`.
    pub parameters: BTreeMap<String, serde_json::Value>,
    /// The mean over folds of the metric that trials are compared by; none where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The standard deviation over the folds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub std: Option<f64>,
    /// How many rows it was measured with, in all folds.
    pub rows: u64,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

impl Trial {
    /// Its parameters in one line: "alpha 0.1, penalty l1".
    #[must_use]
    pub fn shown(&self) -> String {
        let value =
            |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let shown: Vec<String> =
            self.parameters.iter().map(|(name, found)| format!("{name} {}", value(found))).collect();
        shown.join(", ")
    }
}
