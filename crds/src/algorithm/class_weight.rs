//! How much the rows of a class count.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ParameterProblem;
use crate::Shown;

/// How much the rows of a class count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ClassWeight {
    /// All classes count the same in all, however many rows each has.
    Balanced,
}

/// The least and the most that a row may count: beyond, the others are lost in rounding.
const WEIGHTS: std::ops::RangeInclusive<f64> = 1e-6..=1e6;

/// What is wrong with how much classes count.
pub(super) fn weights_problem(
    by_rule: Option<ClassWeight>,
    by_name: &BTreeMap<String, f64>,
) -> Option<ParameterProblem> {
    let problem = if by_rule.is_some() && !by_name.is_empty() {
        "does not go with classWeight; leave one of them out".to_owned()
    } else {
        let (name, weight) = by_name.iter().find(|(_, weight)| !WEIGHTS.contains(weight))?;
        format!(
            "has {} for {name}; a number from 0.000001 to 1000000 is allowed, and rows of a class that is not to count are left out in a \
             prepare step",
            Shown(*weight)
        )
    };
    Some(ParameterProblem { parameter: "classWeights", problem })
}
