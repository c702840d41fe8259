//! What each kind of step does, with everything resolved.

use serde::{Deserialize, Serialize};

use super::source::{DataSource, Delivery};
use crate::step_version::{OLDEST_STEP_SPEC_VERSION, TUNING_VERSION};
use crate::{
    Algorithm, Check, CrossValidation, Digest, Format, Gate, Interaction, Revision, Split, TrainColumn, Tune,
};

/// Make a dataset from inputs by SQL, check it, and publish it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrepareStep {
    /// The tables.
    #[serde(default)]
    pub inputs: Vec<PrepareInput>,
    /// The query; absent, the only input is copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
    /// What must hold of the result, which the checks know as the table `output`.
    #[serde(default)]
    pub checks: Vec<Check>,
    /// The result's format.
    pub format: Format,
    /// Where the result is delivered too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// Do this for each file that the only input's uri names, now and later, until stopped. Publishes no artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuous: Option<ContinuousStep>,
}

/// The folder below a continuous step's own, into which its results are renamed when they are whole.
pub const PUBLISHED_FOLDER: &str = "published";

/// How files are processed as they come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContinuousStep {
    /// Seconds between two looks for new files.
    pub poll_seconds: u32,
    /// How many processed files are kept.
    pub keep: u32,
}

/// One table of a prepare step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrepareInput {
    /// The table's name.
    pub name: String,
    /// Its rows.
    pub source: DataSource,
}

/// Make a model from a dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrainStep {
    /// The rows to learn from.
    pub data: DataSource,
    /// The column to predict; absent for an algorithm that learns without one, since version 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The columns to predict from; all but the target when empty.
    #[serde(default)]
    pub features: Vec<String>,
    /// How columns are taken that their type does not say it of; since version 3.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<TrainColumn>,
    /// Products of columns; since version 5.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interactions: Vec<Interaction>,
    /// The column whose equal values stay together in split and folds; since version 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_by: Option<String>,
    /// How to learn.
    pub algorithm: Algorithm,
    /// The search for parameters; since version 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tune: Option<Tune>,
    /// For the pods of an Indexed Job that measure the trials of the search, and make no model: how many share them. Since version 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial_pods: Option<u32>,
    /// Rows kept back to measure with; `by` and `column` since version 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// k-fold cross-validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_validation: Option<CrossValidation>,
    /// Whether to learn from parts of the rows too; since version 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_curve: Option<bool>,
    /// What the model must reach; the verdict goes into the report, and a rejection is not a failure of the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
    /// The model that is served now, to be measured on the same rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineModel>,
}

impl TrainStep {
    /// The lowest version that can say it, beside what any kind of step may say.
    pub(super) fn lowest_version(&self) -> u32 {
        if self.needs_version_5() {
            TUNING_VERSION
        } else if self.needs_version_4() {
            4
        } else if self.columns.is_empty() {
            OLDEST_STEP_SPEC_VERSION
        } else {
            3
        }
    }

    /// Whether it tunes, draws a learning curve, has no target, or its algorithm or columns say something that version 5 added.
    fn needs_version_5(&self) -> bool {
        self.tune.is_some()
            || self.learning_curve.is_some()
            || self.target.is_none()
            || !self.interactions.is_empty()
            || self.columns.iter().any(TrainColumn::needs_version_5)
            || self.algorithm.chosen().is_some_and(|chosen| chosen.step_version() >= TUNING_VERSION)
    }

    /// Whether it says which rows are kept back in a way that version 4 added.
    fn needs_version_4(&self) -> bool {
        self.group_by.is_some()
            || self.split.as_ref().is_some_and(|split| split.by.is_some() || split.column.is_some())
    }
}

/// Publish a model that was made elsewhere; since version 5.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportStep {
    /// Where the ONNX file is.
    pub uri: String,
    /// The only content that is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// What the names of the environment variables with the credentials begin with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
    /// The name of what is predicted.
    pub target: String,
    /// The names of the graph's columns; those of its inputs when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// The classes, where the graph does not name them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// Whether scores become probabilities by softmax.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub softmax: bool,
}

/// The model to compare a new one with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BaselineModel {
    /// Its revision.
    pub revision: Revision,
    /// Its folder, relative to the storage folder.
    pub path: String,
    /// What its step reported of its content; another content is not compared with. Since version 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

/// Answer predictions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServeStep {
    /// The model's folder, relative to the storage folder.
    pub model: String,
    /// What the model's step reported of its content; another content is refused. Since version 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_digest: Option<Digest>,
}

/// Predict for each row of a dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScoreStep {
    /// The model's folder, relative to the storage folder.
    pub model: String,
    /// What the model's step reported of its content; another content is refused. Since version 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_digest: Option<Digest>,
    /// The rows.
    pub input: DataSource,
    /// The result's format.
    pub format: Format,
    /// Where the result is delivered too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
}
