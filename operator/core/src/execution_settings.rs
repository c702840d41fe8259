//! What a run is executed with: resources, nodes, retries, credentials. None of it changes a result, so none of it may become
//! part of a fingerprint. It is recorded with a run, so that one that failed or never began is tried again when it changes.

use std::collections::BTreeMap;

use mlpipeline_crds::Revision;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::canonical::canonical_json;
use super::pipeline::{ValidStep, ValidatedPipeline};

/// What a run is executed with: a hash of each setting that is set, by its field in the spec. Hashes, since the values may be long
/// and all annotations of an object have little room together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExecutionSettings(BTreeMap<String, Revision>);

impl ExecutionSettings {
    /// The settings of a step as the spec has them now.
    #[must_use]
    pub fn of(pipeline: &ValidatedPipeline, step: &ValidStep) -> Self {
        let secrets: BTreeMap<String, String> = step.action.descriptor().credentials().into_iter().collect();
        let mut settings = BTreeMap::from([
            ("retries".to_owned(), json!(step.retries)),
            ("timeout".to_owned(), json!(step.timeout.map(|timeout| timeout.as_secs()))),
            ("parallelism".to_owned(), json!(step.parallelism)),
            ("secret".to_owned(), json!(secrets)),
            ("storage.volume.claimName".to_owned(), json!(pipeline.storage.existing_claim())),
        ]);
        let of_kind = step.action.descriptor().execution_settings();
        settings.extend(of_kind.into_iter().map(|(name, value)| (name.to_owned(), value)));
        if let Value::Object(pod) = json!(step.pod) {
            settings.extend(pod.into_iter().map(|(name, value)| (format!("pod.{name}"), value)));
        }
        settings.retain(|_, value| is_set(value));
        let hashed =
            settings.into_iter().map(|(name, value)| (name, Revision::of(&[&canonical_json(&value)])));
        Self(hashed.collect())
    }

    /// The fields that differ from the settings of an earlier run.
    #[must_use]
    pub fn difference(&self, earlier: &Self) -> Vec<String> {
        let all: BTreeMap<&String, &Revision> = earlier.0.iter().chain(&self.0).collect();
        all.into_keys().filter(|name| self.0.get(*name) != earlier.0.get(*name)).cloned().collect()
    }
}

/// Whether a value says anything: what is left out and what is written out empty are the same.
fn is_set(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(list) => !list.is_empty(),
        Value::Object(fields) => fields.values().any(is_set),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}
