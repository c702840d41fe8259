//! The parameters of gradient boosting.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{between, inner_share, not_negative, positive};
use super::{LearningTask, ParameterProblem, Parameters, Predicts};
use crate::step_version::{OLDEST_STEP_SPEC_VERSION, TUNING_VERSION};

/// Parameters of gradient boosting by histograms. The loss is the negative log-likelihood for classes and, unless
/// `loss` says another, the squared error for numbers. Missing numbers and dates are not imputed: each split learns which way they go.
/// Categories are one-hot, unless `categories` says another.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GradientBoosting {
    /// What to learn; classification when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<LearningTask>,
    /// With task: regression: what is lowered; squaredError when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<BoostingLoss>,
    /// With loss: quantile, the share of the rows whose number is to be below the prediction, more than 0 and less than 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub quantile: Option<f64>,
    /// The share of each tree's answer that is added, more than 0; 0.1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub learning_rate: Option<f64>,
    /// How many trees, for each class when there are more than two; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub max_iterations: Option<i32>,
    /// The most leaves of a tree; 31 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2, max = 65_536))]
    pub max_leaf_nodes: Option<i32>,
    /// The most splits between the root and a leaf; unlimited when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub max_depth: Option<i32>,
    /// The fewest rows of a leaf; 20 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub min_samples_leaf: Option<i32>,
    /// The strength of the L2 penalty on the leaves' values, 0 or more; 0 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub l2_regularization: Option<f64>,
    /// The most bins of a feature's values; 255 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2, max = 255))]
    pub max_bins: Option<i32>,
    /// Whether iterations end once they no longer help on rows that the trees do not see; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStopping>,
    /// With early stopping: the share of the training rows that the trees do not see, more than 0 and less than 1; 0.1 when
    /// absent. Each class keeps its share; with groupBy they are whole groups, and with split.by: time the newest rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub validation_fraction: Option<f64>,
    /// With early stopping: after how many iterations without a lower loss there are no more; 10 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub n_iter_no_change: Option<i32>,
    /// With early stopping: how much lower a loss must be to count as lower, 0 or more; 1e-7 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub tol: Option<f64>,
    /// With early stopping: the seed of the draw of the rows that the trees do not see; 0 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 9_007_199_254_740_991_i64))]
    pub seed: Option<i64>,
    /// How columns of categories are split; oneHot when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub categories: Option<CategorySplits>,
    /// Columns of numbers with which the prediction, or the probability of the second of two classes, may only grow or only
    /// fall, by name. Not for more than two classes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 256))]
    pub monotonic_constraints: BTreeMap<String, Monotonic>,
}

/// What boosting of numbers lowers, and so what it predicts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum BoostingLoss {
    /// The squared error: the mean is predicted.
    #[default]
    SquaredError,
    /// The absolute error: the median is predicted.
    AbsoluteError,
    /// The pinball loss: a quantile is predicted.
    Quantile,
    /// The Poisson deviance of counts, which are 0 or more: the mean is predicted, and is more than 0.
    Poisson,
}

/// When boosting ends before its last iteration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum EarlyStopping {
    /// All iterations are done, and the trees see all rows.
    #[default]
    Never,
    /// With more than 10,000 rows to learn from.
    Auto,
    /// However many rows there are.
    Always,
}

/// How boosting splits columns of categories.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CategorySplits {
    /// One category from all others: each has a column of 0 and 1.
    #[default]
    OneHot,
    /// Any set of categories from all others, chosen by their gradients. Of a column, at most 254 categories are distinguished, the
    /// most frequent ones; all others count as one.
    Subsets,
}

/// How a prediction may change with a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Monotonic {
    /// Larger values never make it smaller.
    Increasing,
    /// Larger values never make it larger.
    Decreasing,
}

impl GradientBoosting {
    /// [`GradientBoosting::learning_rate`] when absent.
    pub const DEFAULT_LEARNING_RATE: f64 = 0.1;
    /// [`GradientBoosting::max_iterations`] when absent.
    pub const DEFAULT_MAX_ITERATIONS: i32 = 100;
    /// [`GradientBoosting::max_leaf_nodes`] when absent.
    pub const DEFAULT_MAX_LEAF_NODES: i32 = 31;
    /// [`GradientBoosting::min_samples_leaf`] when absent.
    pub const DEFAULT_MIN_SAMPLES_LEAF: i32 = 20;
    /// [`GradientBoosting::l2_regularization`] when absent.
    pub const DEFAULT_L2_REGULARIZATION: f64 = 0.0;
    /// [`GradientBoosting::max_bins`] when absent.
    pub const DEFAULT_MAX_BINS: i32 = 255;
    /// [`GradientBoosting::validation_fraction`] when absent.
    pub const DEFAULT_VALIDATION_FRACTION: f64 = 0.1;
    /// [`GradientBoosting::n_iter_no_change`] when absent.
    pub const DEFAULT_N_ITER_NO_CHANGE: i32 = 10;
    /// [`GradientBoosting::tol`] when absent.
    pub const DEFAULT_TOL: f64 = 1e-7;
    /// [`GradientBoosting::seed`] when absent.
    pub const DEFAULT_SEED: i64 = 0;
    /// The most categories of a column that are split by sets; all others are one more.
    pub const MOST_CATEGORIES: i32 = 254;
}

impl GradientBoosting {
    /// What does not fit together with the loss.
    fn loss_problems(&self) -> Vec<ParameterProblem> {
        let loss = self.loss.unwrap_or_default();
        let has = |parameter, problem: &str| ParameterProblem { parameter, problem: problem.to_owned() };
        let is_steep = matches!(loss, BoostingLoss::AbsoluteError | BoostingLoss::Quantile);
        let problems = [
            (self.loss.is_some() && self.predicts() == Predicts::Classes)
                .then(|| has("loss", "goes with task: regression; leave it out, or set task")),
            (loss == BoostingLoss::Quantile && self.quantile.is_none())
                .then(|| has("quantile", "is missing: loss: quantile needs one, such as 0.9")),
            (loss != BoostingLoss::Quantile && self.quantile.is_some())
                .then(|| has("quantile", "goes with loss: quantile; leave it out, or set loss")),
            (is_steep && !self.monotonic_constraints.is_empty()).then(|| {
                has(
                    "monotonicConstraints",
                    "do not go with loss: absoluteError and quantile; leave them or loss out",
                )
            }),
            inner_share("quantile", self.quantile),
        ];
        problems.into_iter().flatten().collect()
    }
}

impl Parameters for GradientBoosting {
    fn predicts(&self) -> Predicts {
        LearningTask::predicts(self.task)
    }

    fn remove_defaults(&mut self) {
        self.task = LearningTask::unless_default(self.task);
        self.loss = self.loss.filter(|loss| *loss != BoostingLoss::default());
        self.learning_rate = self.learning_rate.filter(|rate| *rate != Self::DEFAULT_LEARNING_RATE);
        self.max_iterations = self.max_iterations.filter(|most| *most != Self::DEFAULT_MAX_ITERATIONS);
        self.max_leaf_nodes = self.max_leaf_nodes.filter(|most| *most != Self::DEFAULT_MAX_LEAF_NODES);
        self.min_samples_leaf = self.min_samples_leaf.filter(|rows| *rows != Self::DEFAULT_MIN_SAMPLES_LEAF);
        self.l2_regularization =
            self.l2_regularization.filter(|strength| *strength != Self::DEFAULT_L2_REGULARIZATION);
        self.max_bins = self.max_bins.filter(|bins| *bins != Self::DEFAULT_MAX_BINS);
        self.early_stopping = self.early_stopping.filter(|stopping| *stopping != EarlyStopping::default());
        self.validation_fraction =
            self.validation_fraction.filter(|share| *share != Self::DEFAULT_VALIDATION_FRACTION);
        self.n_iter_no_change =
            self.n_iter_no_change.filter(|iterations| *iterations != Self::DEFAULT_N_ITER_NO_CHANGE);
        self.tol = self.tol.filter(|tolerance| *tolerance != Self::DEFAULT_TOL);
        self.seed = self.seed.filter(|seed| *seed != Self::DEFAULT_SEED);
        self.categories = self.categories.filter(|splits| *splits != CategorySplits::default());
    }

    fn problems(&self) -> Vec<ParameterProblem> {
        let problems = [
            positive("learningRate", self.learning_rate),
            between("maxIterations", self.max_iterations, (1, 100_000)),
            between("maxLeafNodes", self.max_leaf_nodes, (2, 65_536)),
            between("maxDepth", self.max_depth, (1, 100_000)),
            between("minSamplesLeaf", self.min_samples_leaf, (1, 1_000_000_000)),
            not_negative("l2Regularization", self.l2_regularization),
            between("maxBins", self.max_bins, (2, 255)),
            inner_share("validationFraction", self.validation_fraction),
            between("nIterNoChange", self.n_iter_no_change, (1, 100_000)),
            not_negative("tol", self.tol),
            between("seed", self.seed, (0, 9_007_199_254_740_991)),
        ];
        problems.into_iter().flatten().chain(self.loss_problems()).collect()
    }

    fn quantile(&self) -> Option<f64> {
        self.quantile.filter(|_| self.loss == Some(BoostingLoss::Quantile))
    }

    fn step_version(&self) -> u32 {
        let stops = self.loss.is_some()
            || self.quantile.is_some()
            || self.early_stopping.is_some()
            || self.validation_fraction.is_some()
            || self.n_iter_no_change.is_some()
            || self.tol.is_some()
            || self.seed.is_some()
            || self.categories.is_some();
        if stops || !self.monotonic_constraints.is_empty() {
            TUNING_VERSION
        } else {
            OLDEST_STEP_SPEC_VERSION
        }
    }
}
