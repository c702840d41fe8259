//! train — a model from a dataset.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Algorithm, DataReference, Gate, TrainColumn};

/// Train a model on a dataset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Train {
    /// The rows to learn from.
    pub data: DataReference,
    /// The column to predict.
    #[schemars(length(min = 1, max = 256))]
    pub target: String,
    /// The columns to predict from: numbers, booleans, texts, dates and times; every column but the target when absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1024), extend("x-kubernetes-list-type" = "atomic"), inner(length(min = 1, max = 256)))]
    pub features: Vec<String>,
    /// How columns are taken that their type does not say it of; at most one entry a column.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub columns: Vec<TrainColumn>,
    /// How to learn.
    pub algorithm: Algorithm,
    /// Keep rows back to measure the model with. Without it and without crossValidation, metrics are of the training rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// Measure by k-fold cross-validation too, on the training rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_validation: Option<CrossValidation>,
    /// What a model must reach to be served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
}

/// Rows kept back from training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("self.test > 0.0 && self.test < 1.0").message("test is a share of the rows: more than 0 and less than 1").field_path(".test"))]
#[serde(rename_all = "camelCase")]
pub struct Split {
    /// The share of the rows to measure with, more than 0 and less than 1.
    pub test: f64,
    /// Keep each class's share alike on both sides. Classification only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stratify: Option<bool>,
    /// The seed of the shuffle; 0 when absent. The same seed and rows give the same split on every machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 9_007_199_254_740_991_i64))]
    pub seed: Option<i64>,
}

/// k-fold cross-validation, stratified for classification.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CrossValidation {
    /// How many folds.
    #[schemars(range(min = 2, max = 100))]
    pub folds: i32,
    /// The seed of the shuffle; 0 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 9_007_199_254_740_991_i64))]
    pub seed: Option<i64>,
}

/// Defaults count in fingerprints: a default that is written out is not a change. The worker reads them from here too.
impl Split {
    /// [`Split::stratify`] when absent.
    pub const DEFAULT_STRATIFY: bool = false;
    /// [`Split::seed`] when absent.
    pub const DEFAULT_SEED: i64 = 0;
}

impl CrossValidation {
    /// [`CrossValidation::seed`] when absent.
    pub const DEFAULT_SEED: i64 = 0;
}
