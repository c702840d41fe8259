//! Which columns of numbers are multiplied with each other.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Columns of which each pair makes a product.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Interaction {
    /// Two or more columns of numbers, booleans among them, that are learnt from. The product of each pair of them is one more column.
    #[schemars(length(min = 2, max = 64), extend("x-kubernetes-list-type" = "atomic"), inner(length(min = 1, max = 256)))]
    pub columns: Vec<String>,
}

impl Interaction {
    /// The most columns of one list.
    pub const MOST_COLUMNS: usize = 64;
}
