//! The parameters of gradient boosting.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{between, not_negative, positive};
use super::{LearningTask, ParameterProblem, Parameters, Predicts};

/// Parameters of gradient boosting by histograms. The loss is the negative log-likelihood for classes and the squared error
/// for numbers. All iterations are done: there is no early stopping.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GradientBoosting {
    /// What to learn; classification when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<LearningTask>,
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
}

impl Parameters for GradientBoosting {
    fn predicts(&self) -> Predicts {
        LearningTask::predicts(self.task)
    }

    fn remove_defaults(&mut self) {
        self.task = LearningTask::unless_default(self.task);
        self.learning_rate = self.learning_rate.filter(|rate| *rate != Self::DEFAULT_LEARNING_RATE);
        self.max_iterations = self.max_iterations.filter(|most| *most != Self::DEFAULT_MAX_ITERATIONS);
        self.max_leaf_nodes = self.max_leaf_nodes.filter(|most| *most != Self::DEFAULT_MAX_LEAF_NODES);
        self.min_samples_leaf = self.min_samples_leaf.filter(|rows| *rows != Self::DEFAULT_MIN_SAMPLES_LEAF);
        self.l2_regularization =
            self.l2_regularization.filter(|strength| *strength != Self::DEFAULT_L2_REGULARIZATION);
        self.max_bins = self.max_bins.filter(|bins| *bins != Self::DEFAULT_MAX_BINS);
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
        ];
        problems.into_iter().flatten().collect()
    }
}
