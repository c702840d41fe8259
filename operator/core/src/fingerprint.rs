//! The fingerprint of a step: the part of its spec that changes its result.
//!
//! Two specs with the same fingerprint give the same result, so nothing is done twice: a changed label, resource request, retry
//! count, gate or replica count does not change it, and neither does a default that is written out.

use std::collections::BTreeMap;

use mlpipeline_crds::{Revision, StepKind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::canonical::canonical_json;
use super::change::{self, Change};
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
        let image = pipeline.image.clone().filter(|_| descriptor.container().is_none());
        let action = json!({ (descriptor.kind().name()): descriptor.fingerprint(&step.pod) });
        Self { action, image, rerun: step.rerun.clone(), inputs }
    }

    /// The key of a run with this fingerprint.
    #[must_use]
    pub fn key(&self) -> Revision {
        Revision::of(&[&canonical_json(self)])
    }

    /// Whether it is of a step of this kind: another kind's result is another thing, whatever it is named.
    #[must_use]
    pub fn is_of(&self, kind: StepKind) -> bool {
        self.action.get(kind.name()).is_some()
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
    pub fn own_changes(&self, earlier: &Fingerprint) -> Vec<Change> {
        Fingerprint { inputs: earlier.inputs.clone(), ..self.clone() }.changes(earlier)
    }

    /// What differs from an earlier fingerprint. An input that is no longer read is a change of the action's fields.
    #[must_use]
    pub fn changes(&self, earlier: &Fingerprint) -> Vec<Change> {
        let mut changes = Vec::new();
        change::fields("", &earlier.action, &self.action, &mut changes);
        for (name, before, after) in
            [("image", &earlier.image, &self.image), ("rerun", &earlier.rerun, &self.rerun)]
        {
            change::fields(name, &json!(before), &json!(after), &mut changes);
        }
        for (name, revision) in &self.inputs {
            let input = name.clone();
            match earlier.inputs.get(name) {
                Some(before) if before == revision => {}
                Some(_) => changes.push(Change::InputRevision { input }),
                None => changes.push(Change::InputAdded { input }),
            }
        }
        changes
    }
}
