//! The parameters of k-means.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{between, not_negative};
use super::{ParameterProblem, Parameters, Predicts};

/// Parameters of k-means: each row belongs to the nearest of some centres, and each centre is the mean of its rows. Clusters are
/// numbered by their size, from 0 for the largest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KMeans {
    /// How many clusters; 8 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub n_clusters: Option<i32>,
    /// How often it begins, with other first centres (k-means++) each time; the best result is kept. 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub n_init: Option<i32>,
    /// The most iterations of each beginning; 300 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub max_iterations: Option<i32>,
    /// It ends once the squared moves of all centres add up to no more than this, as a share of the features' mean variance;
    /// 0.0001 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub tol: Option<f64>,
    /// The seed of the first centres; 0 when absent. The same seed and rows give the same clusters on every machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 9_007_199_254_740_991_i64))]
    pub seed: Option<i64>,
    /// Moves the centres by so many rows at a time, drawn anew each time (mini-batches), in place of all rows: much faster where rows
    /// are many, and a little worse. `tol` does not count then: it ends once ten batches in a row bring nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub batch_size: Option<i32>,
}

impl KMeans {
    /// [`KMeans::n_clusters`] when absent.
    pub const DEFAULT_N_CLUSTERS: i32 = 8;
    /// [`KMeans::n_init`] when absent.
    pub const DEFAULT_N_INIT: i32 = 1;
    /// [`KMeans::max_iterations`] when absent.
    pub const DEFAULT_MAX_ITERATIONS: i32 = 300;
    /// [`KMeans::tol`] when absent.
    pub const DEFAULT_TOL: f64 = 1e-4;
    /// [`KMeans::seed`] when absent.
    pub const DEFAULT_SEED: i64 = 0;
}

impl Parameters for KMeans {
    fn predicts(&self) -> Predicts {
        Predicts::Clusters
    }

    fn remove_defaults(&mut self) {
        self.n_clusters = self.n_clusters.filter(|count| *count != Self::DEFAULT_N_CLUSTERS);
        self.n_init = self.n_init.filter(|count| *count != Self::DEFAULT_N_INIT);
        self.max_iterations = self.max_iterations.filter(|count| *count != Self::DEFAULT_MAX_ITERATIONS);
        self.tol = self.tol.filter(|tol| *tol != Self::DEFAULT_TOL);
        self.seed = self.seed.filter(|seed| *seed != Self::DEFAULT_SEED);
    }

    fn problems(&self) -> Vec<ParameterProblem> {
        let problems = [
            between("nClusters", self.n_clusters, (1, 1000)),
            between("nInit", self.n_init, (1, 1000)),
            between("maxIterations", self.max_iterations, (1, 100_000)),
            not_negative("tol", self.tol),
            between("seed", self.seed, (0, 9_007_199_254_740_991)),
            between("batchSize", self.batch_size, (1, 1_000_000)),
        ];
        problems.into_iter().flatten().collect()
    }
}
