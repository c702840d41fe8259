//! A child as it is sent to the API server, with the annotation that shows later what was sent.

use mlpipeline_crds::Revision;
use serde_json::{Value, json};

use mlpipeline_core::canonical::canonical_json;
use mlpipeline_core::children::{Child, ChildKind};
use mlpipeline_core::labels::annotation;

/// A child that is applied.
#[derive(Clone, Debug)]
pub(super) struct Desired {
    pub(super) kind: ChildKind,
    pub(super) name: String,
    /// The hash of what is applied.
    pub(super) hash: String,
    /// What is applied, the annotation with the hash included.
    pub(super) value: Value,
}

impl Desired {
    /// A child as JSON; `None` for a Job, which is created and not applied.
    pub(super) fn of(child: &Child) -> Option<Self> {
        let kind = child.kind();
        if !kind.is_applied() {
            return None;
        }
        let mut value = serde_json::to_value(child).ok()?;
        let name = value.pointer("/metadata/name")?.as_str()?.to_owned();
        let hash = hash(&value);
        let metadata = value.get_mut("metadata")?.as_object_mut()?;
        let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
        annotations.as_object_mut()?.insert(annotation::APPLIED.to_owned(), Value::String(hash.clone()));
        Some(Self { kind, name, hash, value })
    }

    /// What is applied to an object that exists: only to this very one.
    pub(super) fn for_uid(&self, uid: &str) -> Value {
        let mut value = self.value.clone();
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("uid".to_owned(), Value::String(uid.to_owned()));
        }
        value
    }
}

/// A hash of the values, whatever the order in which fields are written.
fn hash(value: &Value) -> String {
    Revision::of(&[&canonical_json(value)]).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_depends_on_values_and_not_on_the_order_of_fields() {
        let left: Value = serde_json::from_str(r#"{"a": 1, "b": {"c": "x", "d": [1, 2]}}"#).expect("JSON");
        let right: Value = serde_json::from_str(r#"{"b": {"d": [1, 2], "c": "x"}, "a": 1}"#).expect("JSON");
        assert_eq!(hash(&left), hash(&right));
        assert_ne!(hash(&left), hash(&json!({"a": 1, "b": {"c": "x", "d": [2, 1]}})));
        assert_ne!(hash(&json!({"a": ["b"]})), hash(&json!({"a": "b"})));
    }
}
