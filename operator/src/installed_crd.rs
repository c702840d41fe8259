//! Whether the CustomResourceDefinition that is installed knows all that this operator's does. What an older one does not know, the
//! API server drops from pipelines without a word; so the operator says it, and works on with the rest.

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

/// How often the two are compared while something is missing, so that its being mended is soon seen.
const WHILE_MISSING: Duration = Duration::from_secs(30);
/// How often else: somebody may install another version at any time.
const ELSE: Duration = Duration::from_secs(600);

/// The condition of pipelines whose fields may have been dropped.
pub(super) const OUTDATED: &str = "DefinitionOutdated";

/// What the installed definition was found to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Installed {
    /// Nobody could tell yet.
    #[default]
    Unknown,
    /// It knows every field.
    Complete,
    /// It does not know some: which, and what to do, as a sentence.
    Lacks(String),
}

/// Compares what is installed with what this program was built for, again and again, and tells when it has changed.
pub(super) async fn keep_comparing(client: Client, metrics: Arc<Metrics>, found: watch::Sender<Installed>) {
    loop {
        match document(&client).await {
            Ok(document) => {
                let missing = missing(&document);
                metrics.crd_fields_missing(missing.len());
                let now = judge(&missing);
                found.send_if_modified(|known| {
                    let is_news = *known != now;
                    if is_news {
                        log(&now, known);
                        *known = now;
                    }
                    is_news
                });
            }
            Err(error) => {
                tracing::info!(%error, "cannot compare the installed CustomResourceDefinition with this version's");
            }
        }
        let is_complete = matches!(*found.borrow(), Installed::Complete);
        tokio::time::sleep(if is_complete { ELSE } else { WHILE_MISSING }).await;
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
        "the installed CustomResourceDefinition is of another version: it does not know {named}{more}, and what pipelines say \
         there is dropped; install this version's with `mlpipeline-operator crd | kubectl apply --server-side -f -`, and apply \
         the pipelines that use it again"
    ))
}

fn log(now: &Installed, before: &Installed) {
    match (now, before) {
        (Installed::Lacks(sentence), _) => tracing::warn!("{sentence}"),
        (_, Installed::Lacks(_)) => {
            tracing::info!("the installed CustomResourceDefinition knows every field now")
        }
        _ => {}
    }
}

/// Adds the condition that tells of an outdated definition where it is one. While nobody can tell, the last word stands: another
/// would be taken back in a moment.
pub(super) fn tell(
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

    #[test]
    fn s6_q1_an_outdated_definition_is_a_condition_for_as_long_as_it_is_one() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        let lacks = judge(&["spec.history".to_owned()]);
        let mut first = MLPipelineStatus::default();
        tell(&Installed::Unknown, &mut first, None, at(1));
        assert_eq!(first.conditions, []);
        tell(&lacks, &mut first, None, at(1));
        assert!(first.conditions[0].message.contains("does not know spec.history"), "{first:?}");
        for known in [&lacks, &Installed::Unknown] {
            let mut next = MLPipelineStatus::default();
            tell(known, &mut next, Some(&first), at(9));
            assert_eq!(next, first, "{known:?}");
        }
        let mut mended = first.clone();
        tell(&Installed::Complete, &mut mended, Some(&first), at(9));
        assert_eq!(mended.conditions, []);
    }
}
