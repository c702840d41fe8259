//! The columns that a model predicts from, as a step lists them. Must not know which kind of step it is.

use std::collections::BTreeSet;

use super::errors::Errors;
use crate::quoted::quoted;

/// Checks that each feature is named and listed once, and that none is the target; `path` is that of the list.
pub(super) fn check(features: &[String], target: Option<&str>, path: &str, errors: &mut Errors) {
    let mut earlier = BTreeSet::new();
    for (index, feature) in features.iter().enumerate() {
        let path = format!("{path}[{index}]");
        errors.require(!feature.is_empty(), &path, "is empty: name the column");
        errors.require(
            Some(feature.as_str()) != target,
            &path,
            format!("{} is the target: a model cannot predict from it", quoted(feature)),
        );
        errors.require(
            earlier.insert(feature),
            &path,
            format!("{} is the name of an earlier feature too", quoted(feature)),
        );
    }
}
