//! A child as it is sent to the API server, with the annotation that shows later what was sent.

use mlpipeline_crds::Revision;
use serde_json::{Value, json};

use mlpipeline_core::canonical::canonical_json;
use mlpipeline_core::child_kind::{Child, ChildKind};
use mlpipeline_core::labels::annotation;

use super::fixed_fields;

/// A child that is applied.
#[derive(Clone, Debug)]
pub(super) struct Desired {
    pub(super) kind: ChildKind,
    pub(super) name: String,
    /// The hash of the child, which is what is applied but for the two things that are only added here.
    pub(super) hash: String,
    /// What is applied, the annotation with the hash included.
    pub(super) value: Value,
}

impl Desired {
    /// A child as JSON; `None` for a Job, which is created and not applied. `children` are all that the pipeline has.
    pub(super) fn of(child: &Child, children: &[Child]) -> Option<Self> {
        let kind = child.kind();
        if !kind.is_applied() {
            return None;
        }
        let mut value = serde_json::to_value(child).ok()?;
        let name = value.pointer("/metadata/name")?.as_str()?.to_owned();
        // Of the child alone: what is only added here is no reason to apply to children that an earlier version has applied.
        let hash =
            if is_autoscaled(&name, kind, children) { hash_without_replicas(&value) } else { hash(&value) };
        own_service_account(&mut value);
        let metadata = value.get_mut("metadata")?.as_object_mut()?;
        let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
        annotations.as_object_mut()?.insert(annotation::APPLIED.to_owned(), Value::String(hash.clone()));
        Some(Self { kind, name, hash, value })
    }

    /// The child with what stays as it is on the object that exists.
    pub(super) fn with_fixed_fields(&self, actual: &Value) -> Self {
        let mut desired = self.clone();
        fixed_fields::keep(self.kind, &mut desired.value, actual);
        desired
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

/// Applies the name of a service account together with its old name `serviceAccount`, both empty where the spec has none. The API
/// server copies the one to the other: an old name without an owner brings the name back when it is removed from the spec.
fn own_service_account(child: &mut Value) {
    for template in ["/spec/template/spec", "/spec/jobTemplate/spec/template/spec"] {
        if let Some(pod) = child.pointer_mut(template).and_then(Value::as_object_mut) {
            let name = pod.get("serviceAccountName").cloned().unwrap_or_else(|| json!(""));
            pod.insert("serviceAccount".to_owned(), name.clone());
            pod.insert("serviceAccountName".to_owned(), name);
        }
    }
}

/// Whether an autoscaler among the children scales this one.
fn is_autoscaled(name: &str, kind: ChildKind, children: &[Child]) -> bool {
    children.iter().any(|other| {
        let Child::HorizontalPodAutoscaler(autoscaler) = other else { return false };
        let target = autoscaler.spec.as_ref().map(|spec| &spec.scale_target_ref);
        target.is_some_and(|target| target.kind == kind.kind() && target.name == name)
    })
}

/// A hash of a child whose number of pods an autoscaler sets: the number that it begins with is applied with it, and leaving it out
/// later is no reason to apply again.
fn hash_without_replicas(child: &Value) -> String {
    let mut child = child.clone();
    if let Some(spec) = child.get_mut("spec").and_then(Value::as_object_mut) {
        spec.remove("replicas");
    }
    hash(&child)
}

/// A hash of the values, whatever the order in which fields are written.
fn hash(value: &Value) -> String {
    Revision::of(&[&canonical_json(value)]).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l5_a_service_account_that_is_removed_from_the_spec_is_removed_by_both_names() {
        let mut with = json!({"spec": {"template": {"spec": {"serviceAccountName": "queue"}}}});
        own_service_account(&mut with);
        assert_eq!(with["spec"]["template"]["spec"]["serviceAccount"], "queue");
        let mut without = json!({"spec": {"jobTemplate": {"spec": {"template": {"spec": {}}}}}});
        own_service_account(&mut without);
        let pod = &without["spec"]["jobTemplate"]["spec"]["template"]["spec"];
        assert_eq!(*pod, json!({"serviceAccount": "", "serviceAccountName": ""}));
        let mut service = json!({"spec": {"ports": []}});
        own_service_account(&mut service);
        assert_eq!(service, json!({"spec": {"ports": []}}), "a child without pods has no service account");
    }

    #[test]
    fn the_hash_depends_on_values_and_not_on_the_order_of_fields() {
        let left: Value = serde_json::from_str(r#"{"a": 1, "b": {"c": "x", "d": [1, 2]}}"#).expect("JSON");
        let right: Value = serde_json::from_str(r#"{"b": {"d": [1, 2], "c": "x"}, "a": 1}"#).expect("JSON");
        assert_eq!(hash(&left), hash(&right));
        assert_ne!(hash(&left), hash(&json!({"a": 1, "b": {"c": "x", "d": [2, 1]}})));
        assert_ne!(hash(&json!({"a": ["b"]})), hash(&json!({"a": "b"})));
    }
}
