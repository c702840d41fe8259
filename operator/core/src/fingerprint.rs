//! The fingerprint of a step: the part of its spec that changes its result.
//!
//! Two specs with the same fingerprint give the same result, so nothing is done twice: a changed label, resource request, retry
//! count, gate or replica count does not change it, and neither does a default that is written out.

use std::collections::{BTreeMap, BTreeSet};

use mlpipeline_crds::Revision;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::canonical::canonical_json;
use super::format::replaces;
use super::pipeline::{ValidStep, ValidatedPipeline};
use super::step_kind::ValidAction;

/// The part of a step's spec that changes its result, and the revisions that it reads. Its hash is the key of the step's run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fingerprint {
    /// The kind of step with the fields that change its result.
    pub action: Value,
    /// The worker image, where the spec names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The token that forces a new run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerun: Option<String>,
    /// What is read, by the reader's name for it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, Revision>,
}

impl Fingerprint {
    /// The fingerprint of a step that reads these revisions.
    #[must_use]
    pub fn of(pipeline: &ValidatedPipeline, step: &ValidStep, inputs: BTreeMap<String, Revision>) -> Self {
        let descriptor = step.action.descriptor();
        let image = pipeline.image.clone().filter(|_| descriptor.is_worker());
        let action = json!({ (descriptor.kind().name()): descriptor.fingerprint(&step.pod) });
        Self { action, image, rerun: step.rerun.clone(), inputs }
    }

    /// The key of a run with this fingerprint.
    #[must_use]
    pub fn key(&self) -> Revision {
        Revision::of(&[&canonical_json(self)])
    }

    /// The step behind each input, by the reader's name for it.
    #[must_use]
    pub fn sources(&self) -> BTreeMap<String, String> {
        let reads = self.typed().map(|action| action.descriptor().reads()).unwrap_or_default();
        reads.into_iter().map(|read| (read.name, read.step)).collect()
    }

    /// The place outside of storage whose content the result replaces.
    #[must_use]
    pub fn replaces(&self) -> Option<String> {
        let action = self.typed()?;
        let uri = action.descriptor().output()?.uri.as_deref().filter(|uri| replaces(uri));
        uri.map(str::to_owned)
    }

    /// The action, read back. What a later version wrote may not be readable; then nothing is known of it but that it differs.
    fn typed(&self) -> Option<ValidAction> {
        ValidAction::deserialize(&self.action).ok()
    }

    /// What differs from an earlier fingerprint apart from what is read.
    #[must_use]
    pub fn own_difference(&self, earlier: &Fingerprint) -> Option<String> {
        Fingerprint { inputs: earlier.inputs.clone(), ..self.clone() }.difference(earlier)
    }

    /// What differs from an earlier fingerprint, for people: "train.algorithm.logisticRegression.alpha changed from 1 to 0.1".
    #[must_use]
    pub fn difference(&self, earlier: &Fingerprint) -> Option<String> {
        let mut changes = Vec::new();
        differences("", &earlier.action, &self.action, &mut changes);
        for (name, before, after) in
            [("image", &earlier.image, &self.image), ("rerun", &earlier.rerun, &self.rerun)]
        {
            differences(name, &json!(before), &json!(after), &mut changes);
        }
        for name in self.inputs.keys().filter(|name| earlier.inputs.get(*name) != self.inputs.get(*name)) {
            changes.push(match earlier.inputs.get(name) {
                Some(_) => format!("{name} is of a new revision"),
                None => format!("{name} is read now"),
            });
        }
        match changes.len() {
            0 => None,
            1..=3 => Some(changes.join(", ")),
            more => Some(format!(
                "{}, and {} more",
                changes.iter().take(2).cloned().collect::<Vec<_>>().join(", "),
                more - 2
            )),
        }
    }
}

/// Collects the leaves in which two documents differ, as "path changed from a to b".
fn differences(path: &str, before: &Value, after: &Value, changes: &mut Vec<String>) {
    if before == after {
        return;
    }
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let nothing = serde_json::Map::new();
    let objects = match (before, after) {
        (Value::Object(old), Value::Object(new)) => Some((old, new)),
        (Value::Null, Value::Object(new)) if !new.is_empty() => Some((&nothing, new)),
        (Value::Object(old), Value::Null) if !old.is_empty() => Some((old, &nothing)),
        _ => None,
    };
    if let Some((old, new)) = objects {
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for name in names {
            let of = |map: &serde_json::Map<String, Value>| map.get(name).cloned().unwrap_or(Value::Null);
            differences(&below(name), &of(old), &of(new), changes);
        }
        return;
    }
    match (before, after) {
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                differences(&format!("{path}[{index}]"), old, new, changes);
            }
        }
        (Value::Null, after) if is_short(after) => changes.push(format!("{path} was added ({after})")),
        (Value::Null, _) => changes.push(format!("{path} was added")),
        (before, Value::Null) if is_short(before) => {
            changes.push(format!("{path} was removed (was {before})"));
        }
        (_, Value::Null) => changes.push(format!("{path} was removed")),
        (before, after) if is_short(before) && is_short(after) => {
            changes.push(format!("{path} changed from {before} to {after}"));
        }
        _ => changes.push(format!("{path} changed")),
    }
}

/// Whether a value is worth printing: the starts of two long queries would look the same.
fn is_short(value: &Value) -> bool {
    !value.is_array() && !value.is_object() && value.to_string().chars().count() <= 40
}
