//! What differs between two fingerprints, as values. Must not word it: that is `reason/changes.rs`.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// One thing that a step is made of and that is not as it was.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A field of the step's action, its image or its `rerun`.
    Field {
        /// Where it is, such as `train.algorithm.logisticRegression.alpha`.
        path: String,
        /// What it was; null where it was not there.
        before: Value,
        /// What it is now; null where it is gone.
        after: Value,
    },
    /// Something that it reads is of another revision.
    InputRevision {
        /// The reader's name for it.
        input: String,
    },
    /// It reads something that it did not read.
    InputAdded {
        /// The reader's name for it.
        input: String,
    },
}

/// Collects the leaves in which two documents differ.
pub(crate) fn fields(path: &str, before: &Value, after: &Value, changes: &mut Vec<Change>) {
    if before == after {
        return;
    }
    let nothing = Map::new();
    let objects = match (before, after) {
        (Value::Object(old), Value::Object(new)) => Some((old, new)),
        (Value::Null, Value::Object(new)) if !new.is_empty() => Some((&nothing, new)),
        (Value::Object(old), Value::Null) if !old.is_empty() => Some((old, &nothing)),
        _ => None,
    };
    if let Some((old, new)) = objects {
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for name in names {
            let of = |map: &Map<String, Value>| map.get(name).cloned().unwrap_or(Value::Null);
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            fields(&path, &of(old), &of(new), changes);
        }
        return;
    }
    match (before, after) {
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                fields(&format!("{path}[{index}]"), old, new, changes);
            }
        }
        _ => changes.push(Change::Field {
            path: path.to_owned(),
            before: before.clone(),
            after: after.clone(),
        }),
    }
}
