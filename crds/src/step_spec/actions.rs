//! What each kind of step does, with everything resolved.

use serde::{Deserialize, Serialize};

use super::source::{DataSource, Delivery};
use crate::{Algorithm, Check, CrossValidation, Format, Gate, Revision, Split, TrainColumn};

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
    /// The column to predict.
    pub target: String,
    /// The columns to predict from; all but the target when empty.
    #[serde(default)]
    pub features: Vec<String>,
    /// How columns are taken that their type does not say it of; since version 3.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<TrainColumn>,
    /// How to learn.
    pub algorithm: Algorithm,
    /// Rows kept back to measure with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// k-fold cross-validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_validation: Option<CrossValidation>,
    /// What the model must reach; the verdict goes into the report, and a refusal is no failure of the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
    /// The model that is served now, to be measured on the same rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineModel>,
}

/// The model to compare a new one with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BaselineModel {
    /// Its revision.
    pub revision: Revision,
    /// Its folder, relative to the storage folder.
    pub path: String,
}

/// Answer predictions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServeStep {
    /// The model's folder, relative to the storage folder.
    pub model: String,
}

/// Predict for each row of a dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScoreStep {
    /// The model's folder, relative to the storage folder.
    pub model: String,
    /// The rows.
    pub input: DataSource,
    /// The result's format.
    pub format: Format,
    /// Where the result is delivered too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
}
