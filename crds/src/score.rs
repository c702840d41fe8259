//! score — predictions for many rows at once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{DataReference, Output, StepReference};

/// Predict for every row of a dataset with the newest model that passed its gate. The result is the input with the
/// prediction's columns beside it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Score {
    /// The train or import step whose model to use.
    pub model: StepReference,
    /// The rows to predict for.
    pub input: DataReference,
    /// How to write the result; Parquet when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Output>,
}
