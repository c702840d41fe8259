//! train — a model from a dataset.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::step_work::StepWork;
use crate::{
    Algorithm, DataReference, DataSource, Delivery, Digest, Format, Gate, Interaction,
    OLDEST_STEP_SPEC_VERSION, Revision, Scale, TUNING_VERSION, TrainColumn, Tune,
};

/// Train a model on a dataset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("has(self.target) || [has(self.algorithm.kMeans), has(self.algorithm.gaussianMixture), has(self.algorithm.dbscan), has(self.algorithm.isolationForest), has(self.algorithm.pca), has(self.algorithm.truncatedSvd)].exists(x, x)").message("target is missing: name the column to predict"))]
#[x_kube(validation = Rule::new("!has(self.target) || ![has(self.algorithm.kMeans), has(self.algorithm.gaussianMixture), has(self.algorithm.dbscan), has(self.algorithm.isolationForest), has(self.algorithm.pca), has(self.algorithm.truncatedSvd)].exists(x, x)").message("target is given, and kMeans, gaussianMixture, dbscan, isolationForest, pca and truncatedSvd learn without one: leave target out, and it is a feature like the others").field_path(".target"))]
#[serde(rename_all = "camelCase")]
pub struct Train {
    /// The rows to learn from.
    pub data: DataReference,
    /// The column to predict; absent for an algorithm that learns without one, such as kMeans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub target: Option<String>,
    /// The columns to predict from: numbers, booleans, texts, dates and times; every column but the target when
    /// absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1024), extend("x-kubernetes-list-type" = "atomic"), inner(length(min = 1, max = 256)))]
    pub features: Vec<String>,
    /// How columns are taken that their type does not say it of; at most one entry a column.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub columns: Vec<TrainColumn>,
    /// How numbers, dates, ordinals and means of the target are brought to a common size, fitted to the rows to learn from; a column may
    /// say otherwise. For algorithms that compare distances or penalize weights. None when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<Scale>,
    /// Products of columns of numbers, which are learnt from beside the columns: what two of them mean together, for linear models above
    /// all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "atomic"))]
    pub interactions: Vec<Interaction>,
    /// A column whose equal values belong together, such as a customer: such rows are all on one side of the split, and all in
    /// one fold. It is not learnt from unless features names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub group_by: Option<String>,
    /// How to learn.
    pub algorithm: Algorithm,
    /// Try parameters of the algorithm in place of those given, and take the best.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tune: Option<Tune>,
    /// Keep rows back to measure the model with. Without it and without crossValidation, metrics are of the training rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// Measure by k-fold cross-validation too, on the training rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_validation: Option<CrossValidation>,
    /// Whether to learn from parts of the rows too, and measure each on the rows of split: metrics.json and the card then show whether
    /// more rows would help. It takes about one and a half times as long again. No when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_curve: Option<bool>,
    /// What a model must reach to be served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
}

/// Rows kept back from training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("self.test > 0.0 && self.test < 1.0").message("test is a share of the rows: more than 0 and less than 1").field_path(".test"))]
#[x_kube(validation = Rule::new("!(has(self.stratify) && self.stratify && has(self.by) && self.by != 'shuffle')").message("stratify goes with a shuffled split; leave it or by out"))]
#[x_kube(validation = Rule::new("!has(self.column) || (has(self.by) && self.by != 'shuffle')").message("column goes with by: hash and by: time"))]
#[x_kube(validation = Rule::new("!(has(self.by) && self.by == 'time') || has(self.column)").message("by: time needs column, which says when each row is from"))]
#[serde(rename_all = "camelCase")]
pub struct Split {
    /// The share of the rows to measure with, more than 0 and less than 1.
    pub test: f64,
    /// How rows are chosen; shuffle when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<SplitBy>,
    /// By hash: the column whose value is hashed; the values learnt from and the target when absent. By time: the column that
    /// says when each row is from, as a date, a time, a number, or text such as 2024-02-29.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub column: Option<String>,
    /// Keep each class's share alike on both sides. Classification only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stratify: Option<bool>,
    /// The seed of the shuffle; 0 when absent. The same seed and rows give the same split on every machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 9_007_199_254_740_991_i64))]
    pub seed: Option<i64>,
}

/// How the rows to measure with are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SplitBy {
    /// At random, by the seed: exactly the share, and other rows when rows are added.
    #[default]
    Shuffle,
    /// By a hash of the row or of a column: about the share. Whether a row is kept back depends on nothing but its own values, so
    /// rows that are added change nothing for those there are.
    Hash,
    /// The newest rows: about the share, since rows of the same time are on one side.
    Time,
}

/// k-fold cross-validation, stratified for classification. With groupBy, a group is in one fold; with split.by: time, each fold measures
/// rows that are newer than those it learns from.
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
    /// How columns are brought to a common size; since version 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<Scale>,
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
    /// The first version of the step spec that knows the kind.
    pub(crate) const SINCE: u32 = OLDEST_STEP_SPEC_VERSION;

    /// The lowest version that can say it, beside what any kind of step may say.
    fn said_since(&self) -> u32 {
        if self.needs_version_5() {
            TUNING_VERSION
        } else if self.needs_version_4() {
            4
        } else if self.columns.is_empty() {
            Self::SINCE
        } else {
            3
        }
    }

    /// Whether it tunes, scales, draws a learning curve, has no target, or its algorithm or columns say something that version 5 added.
    fn needs_version_5(&self) -> bool {
        self.tune.is_some()
            || self.learning_curve.is_some()
            || self.target.is_none()
            || self.scale.is_some()
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

impl StepWork for TrainStep {
    fn lowest_version(&self) -> u32 {
        self.said_since()
    }

    fn delivery(&self) -> Option<(&Delivery, Format)> {
        None
    }

    fn sources(&self) -> Vec<&DataSource> {
        vec![&self.data]
    }

    fn uris_mut(&mut self) -> Vec<&mut String> {
        self.data.uri_mut().into_iter().collect()
    }

    fn model_digest(&self) -> Option<&Digest> {
        self.baseline.as_ref().and_then(|baseline| baseline.digest.as_ref())
    }

    fn writes(&self) -> bool {
        true
    }

    fn is_long_running(&self) -> bool {
        false
    }
}
