//! Whether the CustomResourceDefinition that is installed knows all that this operator's does. What an older one does not know, the
//! API server drops from pipelines without a word; so the operator says it, and works on with the rest.

use kube::Client;
use mlpipeline_crds::custom_resource_definition;
use serde_json::Value;

use super::metrics::Metrics;

/// The description of our API that every user of a cluster may read.
const DOCUMENT: &str = "/openapi/v3/apis/mlpipeline.dev/v1alpha1";
/// How many fields are named; there may be a whole new step.
const NAMED: usize = 8;

/// Compares what is installed with what this program was built for, and says what is missing.
pub(super) async fn compare(client: &Client, metrics: &Metrics) {
    let document = match document(client).await {
        Ok(document) => document,
        Err(error) => {
            tracing::info!(%error, "cannot compare the installed CustomResourceDefinition with this version's");
            return;
        }
    };
    let missing = missing(&document);
    metrics.crd_fields_missing(missing.len());
    if !missing.is_empty() {
        let named = missing.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = missing.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        tracing::warn!(
            "the installed CustomResourceDefinition is of another version: it does not know {named}{more}, and what pipelines say \
             there is dropped; install this version's with `mlpipeline-operator crd | kubectl apply --server-side -f -`"
        );
    }
}

async fn document(client: &Client) -> Result<Value, kube::Error> {
    let request = http::Request::get(DOCUMENT).body(Vec::new()).map_err(kube::Error::HttpError)?;
    client.request(request).await
}

/// The paths of fields that this version has and the installed one has not.
fn missing(document: &Value) -> Vec<String> {
    let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
    let installed = schemas.into_iter().flatten().find(|(name, _)| name.ends_with(".MLPipeline"));
    let own = serde_json::to_value(custom_resource_definition()).unwrap_or_default();
    let mut found = Vec::new();
    if let (Some((_, installed)), Some(own)) =
        (installed, own.pointer("/spec/versions/0/schema/openAPIV3Schema"))
    {
        for part in ["spec", "status"] {
            let (own, installed) = (&own["properties"][part], &installed["properties"][part]);
            walk(part, own, installed, &mut found);
        }
    }
    found
}

/// Adds the fields of a schema that another has not. As deep as our own schema, which ends.
fn walk(path: &str, own: &Value, installed: &Value, found: &mut Vec<String>) {
    // Whatever is kept as it is knows every field.
    if installed["x-kubernetes-preserve-unknown-fields"] == true {
        return;
    }
    for (name, own) in own["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        match installed["properties"].get(name) {
            Some(installed) => walk(&path, own, installed, found),
            None => found.push(path),
        }
    }
    for (inner, mark) in [("items", "[]"), ("additionalProperties", ".*")] {
        if own[inner].is_object() {
            walk(&format!("{path}{mark}"), &own[inner], &installed[inner], found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What an API server would tell of a definition.
    fn document_of(schema: Value) -> Value {
        json!({"components": {"schemas": {"dev.mlpipeline.v1alpha1.MLPipeline": schema}}})
    }

    fn own_schema() -> Value {
        let own = serde_json::to_value(custom_resource_definition()).expect("JSON");
        own["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
    }

    #[test]
    fn the_own_version_lacks_nothing_and_a_newer_one_neither() {
        let mut schema = own_schema();
        assert_eq!(missing(&document_of(schema.clone())), Vec::<String>::new());
        schema["properties"]["spec"]["properties"]["future"] = json!({"type": "string"});
        assert_eq!(missing(&document_of(schema)), Vec::<String>::new());
    }

    #[test]
    fn a_field_that_the_installed_version_has_not_is_named_by_its_path() {
        let mut schema = own_schema();
        let spec = schema["properties"]["spec"]["properties"].as_object_mut().expect("fields");
        spec.remove("history");
        let step = spec["steps"]["items"]["properties"].as_object_mut().expect("fields");
        step.remove("serve");
        assert_eq!(missing(&document_of(schema)), ["spec.history", "spec.steps[].serve"]);
    }

    #[test]
    fn a_document_of_something_else_says_nothing() {
        assert_eq!(missing(&json!({"components": []})), Vec::<String>::new());
        assert_eq!(missing(&Value::Null), Vec::<String>::new());
    }
}
