//! Metrics by name.

use std::collections::BTreeMap;

/// Metrics by name. One that is undefined, such as the R² of a constant target, is not among them.
pub type Metrics = BTreeMap<String, f64>;
