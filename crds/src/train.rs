//! train — a model from a dataset.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{DataReference, Gate};

/// Train a model on a dataset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Train {
    /// The rows to learn from.
    pub data: DataReference,
    /// The column to predict.
    #[schemars(length(min = 1, max = 256))]
    pub target: String,
    /// The columns to predict from, numbers all; every column but the target when absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1024), extend("x-kubernetes-list-type" = "atomic"), inner(length(min = 1, max = 256)))]
    pub features: Vec<String>,
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

/// Exactly one algorithm, with its parameters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("has(self.logisticRegression) != has(self.linearRegression)").message("an algorithm is exactly one of logisticRegression and linearRegression"))]
#[serde(rename_all = "camelCase")]
pub struct Algorithm {
    /// Classification by multinomial logistic regression with an L2 penalty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logistic_regression: Option<LogisticRegression>,
    /// Regression by least squares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linear_regression: Option<LinearRegression>,
}

/// Parameters of logistic regression. The loss is the sum over rows of the negative log-likelihood, plus alpha / 2 times the
/// sum of the squared weights; intercepts are not penalised.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogisticRegression {
    /// The most iterations of the optimiser; 200 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub max_iterations: Option<i32>,
    /// The strength of the L2 penalty, 0 or more; 1 when absent. It is the inverse of scikit-learn's C.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub alpha: Option<f64>,
}

/// Parameters of linear regression. The loss is the sum over rows of the squared error, plus alpha times the sum of the
/// squared weights; the intercept is not penalised.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LinearRegression {
    /// The strength of the L2 penalty, 0 or more; 0 (ordinary least squares) when absent. It is alpha of scikit-learn's Ridge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub alpha: Option<f64>,
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

/// Defaults count in fingerprints: a default that is written out is no change. The worker reads them from here too.
impl LogisticRegression {
    /// [`LogisticRegression::max_iterations`] when absent.
    pub const DEFAULT_MAX_ITERATIONS: i32 = 200;
    /// [`LogisticRegression::alpha`] when absent.
    pub const DEFAULT_ALPHA: f64 = 1.0;
}

impl LinearRegression {
    /// [`LinearRegression::alpha`] when absent.
    pub const DEFAULT_ALPHA: f64 = 0.0;
}

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
