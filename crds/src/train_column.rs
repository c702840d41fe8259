//! How one column is taken, where its type does not say it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a column is taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrainColumn {
    /// The column's name.
    #[schemars(length(min = 1, max = 256))]
    pub name: String,
    /// What the column is taken as; what its type says when absent.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub taken_as: Option<ColumnRole>,
    /// Of a category, how many texts have a column of the model: the most frequent ones; all others share one. 50 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub max_categories: Option<i32>,
}

impl TrainColumn {
    /// [`TrainColumn::max_categories`] when absent.
    pub const DEFAULT_MAX_CATEGORIES: i32 = 50;
}

/// What a column is taken as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ColumnRole {
    /// A number, or a boolean as 0 and 1.
    Number,
    /// One of several texts.
    Category,
    /// A date or time.
    Date,
    /// Nothing: the column is not learned from.
    Ignore,
}
