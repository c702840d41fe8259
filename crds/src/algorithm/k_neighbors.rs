//! The parameters of the nearest neighbours.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::between;
use super::{LearningTask, ParameterProblem, Parameters, Predicts};

/// Parameters of the nearest neighbours: the answer is that of the rows whose features are nearest, by Euclid's distance. The
/// model holds all rows that it learned from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KNeighbors {
    /// What to learn; classification when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<LearningTask>,
    /// How many neighbours answer; 5 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub n_neighbors: Option<i32>,
    /// How much each neighbour counts; uniform when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<NeighborWeights>,
}

/// How much each neighbour counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum NeighborWeights {
    /// All the same.
    #[default]
    Uniform,
    /// One over its distance; where some are at the same place, they alone answer.
    Distance,
}

impl KNeighbors {
    /// [`KNeighbors::n_neighbors`] when absent.
    pub const DEFAULT_N_NEIGHBORS: i32 = 5;
}

impl Parameters for KNeighbors {
    fn predicts(&self) -> Predicts {
        LearningTask::predicts(self.task)
    }

    fn remove_defaults(&mut self) {
        self.task = LearningTask::unless_default(self.task);
        self.n_neighbors = self.n_neighbors.filter(|count| *count != Self::DEFAULT_N_NEIGHBORS);
        self.weights = self.weights.filter(|weights| *weights != NeighborWeights::default());
    }

    fn problems(&self) -> Vec<ParameterProblem> {
        between("nNeighbors", self.n_neighbors, (1, 10_000)).into_iter().collect()
    }
}
