//! The parameters of isolation forests.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::between;
use super::{ParameterProblem, Parameters, Predicts};
use crate::Shown;

/// Parameters of an isolation forest: trees of random splits, in which few questions tell an outlier from all other rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IsolationForest {
    /// How many trees; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub n_estimators: Option<i32>,
    /// How many rows each tree sees, drawn without replacement; 256 when absent, and all where there are fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2, max = 1_000_000))]
    pub max_samples: Option<i32>,
    /// The share of the rows learned from that are to be outliers, more than 0 and at most 0.5. When absent, a row is an outlier
    /// whose anomaly score is above 0.5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 0.5))]
    pub contamination: Option<f64>,
    /// The seed of all draws; 0 when absent. The same seed and rows give the same forest on every machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 9_007_199_254_740_991_i64))]
    pub seed: Option<i64>,
}

impl IsolationForest {
    /// [`IsolationForest::n_estimators`] when absent.
    pub const DEFAULT_N_ESTIMATORS: i32 = 100;
    /// [`IsolationForest::max_samples`] when absent.
    pub const DEFAULT_MAX_SAMPLES: i32 = 256;
    /// [`IsolationForest::seed`] when absent.
    pub const DEFAULT_SEED: i64 = 0;
}

impl Parameters for IsolationForest {
    fn predicts(&self) -> Predicts {
        Predicts::Outliers
    }

    fn remove_defaults(&mut self) {
        self.n_estimators = self.n_estimators.filter(|count| *count != Self::DEFAULT_N_ESTIMATORS);
        self.max_samples = self.max_samples.filter(|count| *count != Self::DEFAULT_MAX_SAMPLES);
        self.seed = self.seed.filter(|seed| *seed != Self::DEFAULT_SEED);
    }

    fn problems(&self) -> Vec<ParameterProblem> {
        let wrong = self.contamination.filter(|share| !(*share > 0.0 && *share <= 0.5));
        let contamination = wrong.map(|share| ParameterProblem {
            parameter: "contamination",
            problem: format!("is {}; more than 0 and at most 0.5 is allowed", Shown(share)),
        });
        let problems = [
            between("nEstimators", self.n_estimators, (1, 10_000)),
            between("maxSamples", self.max_samples, (2, 1_000_000)),
            contamination,
            between("seed", self.seed, (0, 9_007_199_254_740_991)),
        ];
        problems.into_iter().flatten().collect()
    }
}
