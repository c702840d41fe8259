//! The parameters of forests. Random forests and extra trees differ in how they split, which the worker knows, and in one
//! default.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{between, share};
use super::decision_tree::node_problems;
use super::{DecisionTree, LearningTask, ParameterProblem, Parameters, Predicts};

/// Parameters of a random forest: the mean of trees that each see other rows, with the best split among some features at
/// every node.
pub type RandomForest = Forest<true>;

/// Parameters of extra trees: the mean of trees whose splits are the best of random thresholds, one for each of some features.
pub type ExtraTrees = Forest<false>;

/// Parameters of a forest, whose trees see rows drawn with replacement by default, or do not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Forest<const BOOTSTRAP: bool> {
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
    /// Whether each tree sees rows drawn with replacement; when absent, true for a random forest and false for extra trees.
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

impl<const BOOTSTRAP: bool> Forest<BOOTSTRAP> {
    /// [`Forest::n_estimators`] when absent.
    pub const DEFAULT_N_ESTIMATORS: i32 = 100;
    /// [`Forest::bootstrap`] when absent.
    pub const DEFAULT_BOOTSTRAP: bool = BOOTSTRAP;
    /// [`Forest::seed`] when absent.
    pub const DEFAULT_SEED: i64 = 0;
}

impl<const BOOTSTRAP: bool> Parameters for Forest<BOOTSTRAP> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_forest_has_a_default_of_its_own() {
        let mut random = RandomForest { bootstrap: Some(true), ..RandomForest::default() };
        let mut extra = ExtraTrees { bootstrap: Some(true), ..ExtraTrees::default() };
        random.remove_defaults();
        extra.remove_defaults();
        assert_eq!((random.bootstrap, extra.bootstrap), (None, Some(true)));
    }
}
