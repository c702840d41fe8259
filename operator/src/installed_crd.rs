//! Whether the installed CustomResourceDefinition has every field of this operator's. The API server silently drops fields from
//! pipelines that an older definition does not have; so the operator reports them, and continues with the rest.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::Client;
use mlpipeline_crds::{MLPipelineStatus, custom_resource_definition};
use serde_json::Value;
use tokio::sync::watch;

use super::metrics::Metrics;

/// The description of our API that every user of a cluster may read.
const DOCUMENT: &str = "/openapi/v3/apis/mlpipeline.dev/v1alpha1";
/// How many fields are named; there may be a whole new step.
const NAMED: usize = 8;

/// How often the two are compared while something is missing, so that a fix is noticed soon.
const WHILE_MISSING: Duration = Duration::from_secs(30);
/// How often otherwise: somebody may install another version at any time.
const WHILE_COMPLETE: Duration = Duration::from_secs(600);

/// The condition of pipelines whose fields may have been dropped.
pub(super) const OUTDATED: &str = "DefinitionOutdated";

/// What is known of the installed definition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Installed {
    /// Not compared yet.
    #[default]
    Unknown,
    /// It has every field.
    Complete,
    /// It lacks some: which, and what to do, as a sentence.
    Lacks(String),
}

/// Compares the installed definition with this program's, again and again, and sends what is new.
pub(super) async fn keep_comparing(client: Client, metrics: Arc<Metrics>, found: watch::Sender<Installed>) {
    loop {
        match document(&client).await {
            Ok(document) => {
                let missing = missing(&document);
                metrics.crd_fields_missing(missing.len());
                let now = judge(&missing);
                found.send_if_modified(|known| {
                    let is_new = *known != now;
                    if is_new {
                        log(&now, known);
                        *known = now;
                    }
                    is_new
                });
            }
            Err(error) => {
                tracing::info!(%error, "cannot compare the installed CustomResourceDefinition with this version's");
            }
        }
        let is_complete = matches!(*found.borrow(), Installed::Complete);
        tokio::time::sleep(if is_complete { WHILE_COMPLETE } else { WHILE_MISSING }).await;
    }
}

fn judge(missing: &[String]) -> Installed {
    if missing.is_empty() {
        return Installed::Complete;
    }
    let named = missing.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = missing.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Installed::Lacks(format!(
        "the installed CustomResourceDefinition is of another version: it does not have {named}{more}, and the API server drops \
         these fields from pipelines; install this version's with `mlpipeline-operator crd | kubectl apply --server-side -f -`, and apply \
         the pipelines that use it again"
    ))
}

fn log(now: &Installed, before: &Installed) {
    match (now, before) {
        (Installed::Lacks(sentence), _) => tracing::warn!("{sentence}"),
        (_, Installed::Lacks(_)) => {
            tracing::info!("the installed CustomResourceDefinition has every field now")
        }
        _ => {}
    }
}

/// Adds the condition that reports an outdated definition. Before the first comparison the previous condition stays: a change
/// would be reverted in a moment.
pub(super) fn set_condition(
    installed: &Installed,
    status: &mut MLPipelineStatus,
    before: Option<&MLPipelineStatus>,
    now: Timestamp,
) {
    let before = before.into_iter().flat_map(|before| &before.conditions);
    let before = before.clone().find(|condition| condition.type_ == OUTDATED);
    status.conditions.retain(|condition| condition.type_ != OUTDATED);
    let message = match installed {
        Installed::Complete => return,
        Installed::Unknown => before.map(|before| before.message.clone()),
        Installed::Lacks(sentence) => Some(sentence.clone()),
    };
    let Some(message) = message else { return };
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
    status.conditions.push(Condition {
        type_: OUTDATED.to_owned(),
        status: "True".to_owned(),
        reason: "FieldsDropped".to_owned(),
        message,
        observed_generation: status.observed_generation,
        last_transition_time: before.map_or(Time(now), |before| before.last_transition_time.clone()),
    });
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

/// Adds the fields of a schema that another lacks. As deep as our own schema, which ends.
fn walk(path: &str, own: &Value, installed: &Value, found: &mut Vec<String>) {
    // A schema that preserves unknown fields has every field.
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

    /// What an API server would publish of a definition.
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
    fn a_field_that_the_installed_version_lacks_is_named_by_its_path() {
        let mut schema = own_schema();
        let spec = schema["properties"]["spec"]["properties"].as_object_mut().expect("fields");
        spec.remove("history");
        let step = spec["steps"]["items"]["properties"].as_object_mut().expect("fields");
        step.remove("serve");
        assert_eq!(missing(&document_of(schema)), ["spec.history", "spec.steps[].serve"]);
    }

    #[test]
    fn a_document_of_something_else_lacks_nothing() {
        assert_eq!(missing(&json!({"components": []})), Vec::<String>::new());
        assert_eq!(missing(&Value::Null), Vec::<String>::new());
    }

    #[test]
    fn s6_q1_an_outdated_definition_is_a_condition_for_as_long_as_it_is_one() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        let lacks = judge(&["spec.history".to_owned()]);
        let mut first = MLPipelineStatus::default();
        set_condition(&Installed::Unknown, &mut first, None, at(1));
        assert_eq!(first.conditions, []);
        set_condition(&lacks, &mut first, None, at(1));
        assert!(first.conditions[0].message.contains("does not have spec.history"), "{first:?}");
        for known in [&lacks, &Installed::Unknown] {
            let mut next = MLPipelineStatus::default();
            set_condition(known, &mut next, Some(&first), at(9));
            assert_eq!(next, first, "{known:?}");
        }
        let mut fixed = first.clone();
        set_condition(&Installed::Complete, &mut fixed, Some(&first), at(9));
        assert_eq!(fixed.conditions, []);
    }
}
