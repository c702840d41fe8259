//! Sentences about what changed in a step.

use std::fmt::{Display, Formatter, Result};

use serde_json::Value;

use crate::change::Change;

/// What changed, for people; the first changes by name, and how many more there are.
pub(super) fn listed(changes: &[Change]) -> String {
    let some = |changes: &[Change]| changes.iter().map(Change::to_string).collect::<Vec<_>>().join(", ");
    match changes {
        [] => "its spec changed".to_owned(),
        [_, _, rest @ ..] if rest.len() >= 2 => format!("{}, and {} more", some(&changes[..2]), rest.len()),
        few => some(few),
    }
}

/// One change: "train.algorithm.logisticRegression.alpha changed from 1 to 0.1".
impl Display for Change {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match self {
            Self::InputRevision { input } => write!(out, "{input} is of a new revision"),
            Self::InputAdded { input } => write!(out, "{input} is read now"),
            Self::Field { path, before, after } => match (before, after) {
                (Value::Null, after) if is_short(after) => write!(out, "{path} was added ({after})"),
                (Value::Null, _) => write!(out, "{path} was added"),
                (before, Value::Null) if is_short(before) => write!(out, "{path} was removed (was {before})"),
                (_, Value::Null) => write!(out, "{path} was removed"),
                (before, after) if is_short(before) && is_short(after) => {
                    write!(out, "{path} changed from {before} to {after}")
                }
                _ => write!(out, "{path} changed"),
            },
        }
    }
}

/// Whether a value is worth printing: the starts of two long queries would look the same.
fn is_short(value: &Value) -> bool {
    !value.is_array() && !value.is_object() && value.to_string().chars().count() <= 40
}
