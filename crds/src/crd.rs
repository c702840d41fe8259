//! The CustomResourceDefinition: kube's derivation, and bounds on everything that has none.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::{Map, Value, json};

use crate::MLPipeline;
use crate::status::NOT_OBSERVED;

/// Bounds for lists, maps and texts of Kubernetes' own types, which carry none. Without them the API server would estimate
/// the cost of our rules at infinity, and one resource could be as large as a request may be.
const MAX_ITEMS: u64 = 32;
const MAX_PROPERTIES: u64 = 64;
const MAX_LENGTH: u64 = 4096;
/// The most characters of a variable's value or an annotation of pods: templates of an agent that fills in secrets are that long. No rule reads
/// them, and the spec as a whole has a bound too.
const MAX_LONG_TEXT: u64 = 32_768;

/// Quantities as the API server reads them, without a sign: nothing of ours can be less than none.
const QUANTITY: &str = r"^([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$";
const MAX_QUANTITY_LENGTH: u64 = 64;

/// How deep descriptions of Kubernetes' own types are kept; below, they only make the CRD large.
const POD_FIELDS_WITHOUT_DESCRIPTIONS: [&str; 7] = [
    "env",
    "envFrom",
    "resources",
    "tolerations",
    "affinity",
    "topologySpreadConstraints",
    "imagePullSecrets",
];

/// Fields of Kubernetes' own types that name other namespaces.
const OTHER_NAMESPACES: [&str; 3] = ["namespace", "namespaces", "namespaceSelector"];

/// Annotations of the definition, by which Flux and Argo CD never delete it: every pipeline of the cluster would go with it.
const KEPT: [(&str, &str); 2] = [
    ("kustomize.toolkit.fluxcd.io/prune", "disabled"),
    ("argocd.argoproj.io/sync-options", "Prune=false,Delete=false"),
];

/// The CustomResourceDefinition of `MLPipeline`.
#[must_use]
pub fn custom_resource_definition() -> CustomResourceDefinition {
    let derived = MLPipeline::crd();
    let Ok(mut value) = serde_json::to_value(&derived) else { return derived };
    for schema in schemas(&mut value) {
        lengthen(schema);
        bound(schema);
        shorten(schema);
        confine(schema);
        begin_unobserved(schema);
    }
    value["metadata"]["annotations"] =
        KEPT.into_iter().map(|(key, value)| (key, Value::from(value))).collect();
    serde_json::from_value(value).unwrap_or(derived)
}

/// The structural schema of an `MLPipeline`, as the API server would use it.
#[must_use]
pub fn pipeline_schema() -> Value {
    let mut value = serde_json::to_value(custom_resource_definition()).unwrap_or_default();
    schemas(&mut value).into_iter().next().map(Value::take).unwrap_or_default()
}

fn schemas(crd: &mut Value) -> Vec<&mut Value> {
    let versions = crd.pointer_mut("/spec/versions").and_then(Value::as_array_mut);
    versions
        .into_iter()
        .flatten()
        .filter_map(|version| version.pointer_mut("/schema/openAPIV3Schema"))
        .collect()
}

/// Gives every list, map and text in a schema a bound where it has none, and quantities their form.
///
/// A null is the same as an absent field, for our rules and everywhere in Kubernetes: the API server drops nulls from fields
/// that are not nullable, so none is.
fn bound(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    object.remove("nullable");
    if object.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)) {
        object.insert("minimum".into(), 0.into());
        object.insert("pattern".into(), QUANTITY.into());
        object.insert("maxLength".into(), MAX_QUANTITY_LENGTH.into());
    }
    let default_for = |object: &mut Map<String, Value>, key: &str, value: u64| {
        object.entry(key).or_insert_with(|| value.into());
    };
    match object.get("type").and_then(Value::as_str) {
        Some("array") => default_for(object, "maxItems", MAX_ITEMS),
        Some("string") if !object.contains_key("enum") => default_for(object, "maxLength", MAX_LENGTH),
        Some("object") if object.contains_key("additionalProperties") => {
            default_for(object, "maxProperties", MAX_PROPERTIES);
        }
        _ => {}
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = object.get_mut(key) {
            bound(inner);
        }
    }
    if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(bound);
    }
}

/// Gives the texts of pods that may be long their own bound.
fn lengthen(schema: &mut Value) {
    if is_pod_settings(schema) {
        for text in ["/properties/annotations/additionalProperties", "/properties/env/items/properties/value"]
        {
            if let Some(text) = schema.pointer_mut(text).and_then(Value::as_object_mut) {
                text.insert("maxLength".into(), MAX_LONG_TEXT.into());
            }
        }
    }
    if let Some(items) = schema.get_mut("items") {
        lengthen(items);
    }
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    properties.into_iter().flat_map(|properties| properties.values_mut()).for_each(lengthen);
}

/// Whether a schema is that of the settings of pods.
fn is_pod_settings(schema: &Value) -> bool {
    ["envFrom", "mounts"].iter().all(|field| schema["properties"].get(field).is_some())
}

/// Drops the descriptions inside Kubernetes' own types: `kubectl explain pod.spec` has them.
fn shorten(schema: &mut Value) {
    let is_pod_settings = is_pod_settings(schema);
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
        for (name, inner) in properties {
            if is_pod_settings && POD_FIELDS_WITHOUT_DESCRIPTIONS.contains(&name.as_str()) {
                let description = inner.get("description").cloned();
                drop_descriptions(inner);
                if let (Some(description), Some(inner)) = (description, inner.as_object_mut()) {
                    inner.insert("description".into(), description);
                }
            } else {
                shorten(inner);
            }
        }
    }
    if let Some(items) = object.get_mut("items") {
        shorten(items);
    }
}

/// Takes away the fields of Kubernetes' own types that reach into other namespaces: no reference of a pipeline does.
fn confine(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = object.get_mut(key) {
            confine(inner);
        }
    }
    if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
        properties.retain(|name, _| !OTHER_NAMESPACES.contains(&name.as_str()));
        properties.values_mut().for_each(confine);
    }
}

/// Has the API server itself write the first status, so that a new pipeline is in progress from its first moment.
fn begin_unobserved(schema: &mut Value) {
    if let Some(status) = schema.pointer_mut("/properties/status").and_then(Value::as_object_mut) {
        status.insert("default".into(), json!({"observedGeneration": NOT_OBSERVED}));
    }
}

fn drop_descriptions(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    object.remove("description");
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = object.get_mut(key) {
            drop_descriptions(inner);
        }
    }
    if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(drop_descriptions);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(schema: &Value, path: &str, visit: &mut dyn FnMut(&str, &Value)) {
        visit(path, schema);
        for key in ["items", "additionalProperties"] {
            if let Some(inner) = schema.get(key) {
                walk(inner, &format!("{path}[]"), visit);
            }
        }
        for (name, inner) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            walk(inner, &format!("{path}.{name}"), visit);
        }
    }

    #[test]
    fn every_list_map_and_text_is_bounded() {
        // Values of any kind have no schema; their number and form are checked where a search is.
        let of_any_kind = "spec.steps[].train.tune.parameters[]";
        walk(&pipeline_schema()["properties"]["spec"], "spec", &mut |path, schema| {
            let missing = match schema["type"].as_str() {
                None if path == of_any_kind => false,
                None => schema.get("maxLength").is_none(),
                Some("array") => schema.get("maxItems").is_none(),
                Some("string") => schema.get("maxLength").is_none() && schema.get("enum").is_none(),
                Some("object") => {
                    schema.get("additionalProperties").is_some() && schema.get("maxProperties").is_none()
                }
                _ => false,
            };
            assert!(!missing, "{path} has no bound: {schema}");
        });
    }

    #[test]
    fn every_field_of_ours_is_documented() {
        walk(&pipeline_schema()["properties"]["spec"], "spec", &mut |path, schema| {
            let ours =
                !POD_FIELDS_WITHOUT_DESCRIPTIONS.iter().any(|field| path.contains(&format!(".{field}")));
            if ours && !path.ends_with("[]") {
                assert!(schema["description"].is_string(), "{path} has no description");
            }
        });
    }

    #[test]
    fn no_reference_carries_a_namespace() {
        walk(&pipeline_schema()["properties"]["spec"], "spec", &mut |path, _| {
            let name = path.rsplit('.').next().unwrap_or_default();
            assert!(!OTHER_NAMESPACES.contains(&name.trim_end_matches("[]")), "{path}");
        });
    }

    #[test]
    fn a_null_is_an_absent_field() {
        walk(&pipeline_schema(), "", &mut |path, schema| assert!(schema.get("nullable").is_none(), "{path}"));
    }

    #[test]
    fn no_server_side_default_makes_the_stored_object_differ_from_git() {
        // Git holds no status.
        walk(&pipeline_schema()["properties"]["spec"], "spec", &mut |path, schema| {
            assert!(schema.get("default").is_none(), "{path}");
        });
    }

    #[test]
    fn only_the_status_as_a_whole_has_a_default_and_it_says_that_no_operator_has_seen_the_pipeline() {
        walk(&pipeline_schema(), "", &mut |path, schema| {
            let expected = (path == ".status").then(|| json!({"observedGeneration": -1}));
            assert_eq!(schema.get("default"), expected.as_ref(), "{path}");
        });
    }
}
