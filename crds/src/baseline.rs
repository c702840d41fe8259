//! What is reported of the model that is served while a new one is trained.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Revision;

/// The model served before, measured on test rows of the new model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Baseline {
    /// Its revision.
    pub revision: Revision,
    /// Its metrics.
    pub metrics: BTreeMap<String, f64>,
    /// The new model's metrics on the rows that both were measured on, where these are not all of its test rows: one of the two was
    /// trained on the others.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub candidate: BTreeMap<String, f64>,
}

impl Baseline {
    /// Both models' metrics.
    pub(crate) fn all_metrics(&mut self) -> impl Iterator<Item = &mut BTreeMap<String, f64>> {
        [&mut self.metrics, &mut self.candidate].into_iter()
    }
}
