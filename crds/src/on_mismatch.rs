//! What becomes of lines that a pattern does not fit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What becomes of a line in which a pattern is not found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnMismatch {
    /// The step fails and says which line it is.
    #[default]
    Fail,
    /// The line is left out, as the first line of a listing, "total 12", should be. How many were is in the log.
    Skip,
}
