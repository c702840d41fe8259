//! The parameters of a single decision tree.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::between;
use super::{LearningTask, ParameterProblem, Parameters, Predicts};

/// Parameters of a decision tree: the best split at every node, by Gini's impurity for classes and the squared error for
/// numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DecisionTree {
    /// What to learn; classification when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<LearningTask>,
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
}

impl DecisionTree {
    /// [`DecisionTree::min_samples_split`] when absent.
    pub const DEFAULT_MIN_SAMPLES_SPLIT: i32 = 2;
    /// [`DecisionTree::min_samples_leaf`] when absent.
    pub const DEFAULT_MIN_SAMPLES_LEAF: i32 = 1;
}

impl Parameters for DecisionTree {
    fn predicts(&self) -> Predicts {
        LearningTask::predicts(self.task)
    }

    fn remove_defaults(&mut self) {
        self.task = LearningTask::unless_default(self.task);
        self.min_samples_split =
            self.min_samples_split.filter(|rows| *rows != Self::DEFAULT_MIN_SAMPLES_SPLIT);
        self.min_samples_leaf = self.min_samples_leaf.filter(|rows| *rows != Self::DEFAULT_MIN_SAMPLES_LEAF);
    }

    fn problems(&self) -> Vec<ParameterProblem> {
        node_problems(self.max_depth, self.min_samples_split, self.min_samples_leaf)
    }
}

/// What is out of its bounds among the limits of nodes that trees and forests have.
pub(super) fn node_problems(
    max_depth: Option<i32>,
    min_samples_split: Option<i32>,
    min_samples_leaf: Option<i32>,
) -> Vec<ParameterProblem> {
    let problems = [
        between("maxDepth", max_depth, (1, 100_000)),
        between("minSamplesSplit", min_samples_split, (2, 1_000_000_000)),
        between("minSamplesLeaf", min_samples_leaf, (1, 1_000_000_000)),
    ];
    problems.into_iter().flatten().collect()
}
