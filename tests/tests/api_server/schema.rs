//! The schema of the CustomResourceDefinition, to derive tests from.

use serde_json::Value;

/// The schema of `spec`.
pub fn spec() -> Value {
    mlpipeline_crds::pipeline_schema()["properties"]["spec"].clone()
}

/// Visits a schema and all that is in it, with paths such as `spec.steps[].pod.labels{}`.
pub fn walk(schema: &Value, path: &str, visit: &mut dyn FnMut(&str, &Value)) {
    visit(path, schema);
    if let Some(items) = schema.get("items") {
        walk(items, &format!("{path}[]"), visit);
    }
    if let Some(values) = schema.get("additionalProperties") {
        walk(values, &format!("{path}{{}}"), visit);
    }
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        walk(inner, &format!("{path}.{name}"), visit);
    }
}
