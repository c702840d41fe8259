//! The parameters of Gaussian mixtures.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{between, not_negative};
use super::{ParameterProblem, Parameters, Predicts};

/// Parameters of a Gaussian mixture: clusters that are normal distributions, each with a shape of its own (full covariances), so that
/// a row is of each with a probability. Clusters are numbered by their weight, from 0 for the largest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GaussianMixture {
    /// How many clusters; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub n_components: Option<i32>,
    /// How often it begins, from other clusters of k-means each time; the best result is kept. 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub n_init: Option<i32>,
    /// The most iterations of each beginning; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub max_iterations: Option<i32>,
    /// It ends once the mean logarithm of the rows' likelihood changes by less than this; 0.001 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub tol: Option<f64>,
    /// What is added to each variance, so that none becomes 0; 0.000001 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub reg_covar: Option<f64>,
    /// The seed of the first clusters; 0 when absent. The same seed and rows give the same clusters on every machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 9_007_199_254_740_991_i64))]
    pub seed: Option<i64>,
}

impl GaussianMixture {
    /// [`GaussianMixture::n_components`] when absent.
    pub const DEFAULT_N_COMPONENTS: i32 = 1;
    /// [`GaussianMixture::n_init`] when absent.
    pub const DEFAULT_N_INIT: i32 = 1;
    /// [`GaussianMixture::max_iterations`] when absent.
    pub const DEFAULT_MAX_ITERATIONS: i32 = 100;
    /// [`GaussianMixture::tol`] when absent.
    pub const DEFAULT_TOL: f64 = 1e-3;
    /// [`GaussianMixture::reg_covar`] when absent.
    pub const DEFAULT_REG_COVAR: f64 = 1e-6;
    /// [`GaussianMixture::seed`] when absent.
    pub const DEFAULT_SEED: i64 = 0;
}

impl Parameters for GaussianMixture {
    fn predicts(&self) -> Predicts {
        Predicts::Clusters
    }

    fn remove_defaults(&mut self) {
        self.n_components = self.n_components.filter(|count| *count != Self::DEFAULT_N_COMPONENTS);
        self.n_init = self.n_init.filter(|count| *count != Self::DEFAULT_N_INIT);
        self.max_iterations = self.max_iterations.filter(|count| *count != Self::DEFAULT_MAX_ITERATIONS);
        self.tol = self.tol.filter(|tol| *tol != Self::DEFAULT_TOL);
        self.reg_covar = self.reg_covar.filter(|added| *added != Self::DEFAULT_REG_COVAR);
        self.seed = self.seed.filter(|seed| *seed != Self::DEFAULT_SEED);
    }

    fn problems(&self) -> Vec<ParameterProblem> {
        let problems = [
            between("nComponents", self.n_components, (1, 1000)),
            between("nInit", self.n_init, (1, 1000)),
            between("maxIterations", self.max_iterations, (1, 100_000)),
            not_negative("tol", self.tol),
            not_negative("regCovar", self.reg_covar),
            between("seed", self.seed, (0, 9_007_199_254_740_991)),
        ];
        problems.into_iter().flatten().collect()
    }
}
