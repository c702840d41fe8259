//! The parameters of a random forest.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{between, share};
use super::decision_tree::node_problems;
use super::{DecisionTree, LearningTask, ParameterProblem, Parameters, Predicts};

/// Parameters of a random forest: the mean of trees that each see other rows, with the best split among some features at
/// every node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RandomForest {
    /// What to learn; classification when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<LearningTask>,
    /// How many trees; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub n_estimators: Option<i32>,
    /// The share of the features that each split is chosen among, more than 0 and at most 1. When absent: the square root of
    /// their number for classes, and all of them for numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub max_features: Option<f64>,
    /// Whether each tree sees rows drawn with replacement; true when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bootstrap: Option<bool>,
    /// The most splits between the root and a leaf; unlimited when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub max_depth: Option<i32>,
    /// The fewest rows of a node that may be split; 2 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2, max = 1_000_000_000))]
    pub min_samples_split: Option<i32>,
    /// The fewest rows of a leaf; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub min_samples_leaf: Option<i32>,
    /// The seed of all draws; 0 when absent. The same seed and rows give the same forest on every machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 9_007_199_254_740_991_i64))]
    pub seed: Option<i64>,
}

impl RandomForest {
    /// [`RandomForest::n_estimators`] when absent.
    pub const DEFAULT_N_ESTIMATORS: i32 = 100;
    /// [`RandomForest::bootstrap`] when absent.
    pub const DEFAULT_BOOTSTRAP: bool = true;
    /// [`RandomForest::seed`] when absent.
    pub const DEFAULT_SEED: i64 = 0;
}

impl Parameters for RandomForest {
    fn predicts(&self) -> Predicts {
        LearningTask::predicts(self.task)
    }

    fn remove_defaults(&mut self) {
        self.task = LearningTask::unless_default(self.task);
        self.n_estimators = self.n_estimators.filter(|count| *count != Self::DEFAULT_N_ESTIMATORS);
        self.bootstrap = self.bootstrap.filter(|bootstrap| *bootstrap != Self::DEFAULT_BOOTSTRAP);
        self.min_samples_split =
            self.min_samples_split.filter(|rows| *rows != DecisionTree::DEFAULT_MIN_SAMPLES_SPLIT);
        self.min_samples_leaf =
            self.min_samples_leaf.filter(|rows| *rows != DecisionTree::DEFAULT_MIN_SAMPLES_LEAF);
        self.seed = self.seed.filter(|seed| *seed != Self::DEFAULT_SEED);
    }

    fn problems(&self) -> Vec<ParameterProblem> {
        let own = [
            between("nEstimators", self.n_estimators, (1, 10_000)),
            share("maxFeatures", self.max_features),
            between("seed", self.seed, (0, 9_007_199_254_740_991)),
        ];
        let of_nodes = node_problems(self.max_depth, self.min_samples_split, self.min_samples_leaf);
        own.into_iter().flatten().chain(of_nodes).collect()
    }
}
