//! The parameters of Poisson regression.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{between, not_negative};
use super::{LinearRegression, ParameterProblem, Parameters, Predicts};

/// Parameters of Poisson regression: the logarithm of the expected count is a weighted sum. The loss is half of the mean
/// Poisson deviance, plus alpha / 2 times the sum of the squared weights; the intercept is not penalised. The target is 0 or more.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PoissonRegression {
    /// The strength of the L2 penalty, 0 or more; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub alpha: Option<f64>,
    /// Whether there is an intercept; true when absent. Without one, the prediction for a row of zeros is 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fit_intercept: Option<bool>,
    /// The most iterations of the optimiser; 200 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub max_iterations: Option<i32>,
}

impl PoissonRegression {
    /// [`PoissonRegression::alpha`] when absent.
    pub const DEFAULT_ALPHA: f64 = 1.0;
    /// [`PoissonRegression::max_iterations`] when absent.
    pub const DEFAULT_MAX_ITERATIONS: i32 = 200;
}

impl Parameters for PoissonRegression {
    fn predicts(&self) -> Predicts {
        Predicts::Numbers
    }

    fn remove_defaults(&mut self) {
        self.alpha = self.alpha.filter(|alpha| *alpha != Self::DEFAULT_ALPHA);
        self.fit_intercept = self.fit_intercept.filter(|fit| *fit != LinearRegression::DEFAULT_FIT_INTERCEPT);
        self.max_iterations = self.max_iterations.filter(|most| *most != Self::DEFAULT_MAX_ITERATIONS);
    }

    fn problems(&self) -> Vec<ParameterProblem> {
        let problems =
            [not_negative("alpha", self.alpha), between("maxIterations", self.max_iterations, (1, 100_000))];
        problems.into_iter().flatten().collect()
    }
}
