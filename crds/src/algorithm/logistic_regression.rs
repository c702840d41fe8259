//! The parameters of logistic regression.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{between, not_negative};
use super::{ParameterProblem, Parameters, Predicts};

/// Parameters of logistic regression. The loss is the sum over rows of the negative log-likelihood, plus alpha / 2 times the
/// sum of the squared weights; intercepts are not penalised.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogisticRegression {
    /// The most iterations of the optimiser; 200 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub max_iterations: Option<i32>,
    /// The strength of the L2 penalty, 0 or more; 1 when absent. It is the inverse of scikit-learn's C.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub alpha: Option<f64>,
}

impl LogisticRegression {
    /// [`LogisticRegression::max_iterations`] when absent.
    pub const DEFAULT_MAX_ITERATIONS: i32 = 200;
    /// [`LogisticRegression::alpha`] when absent.
    pub const DEFAULT_ALPHA: f64 = 1.0;
}

impl Parameters for LogisticRegression {
    fn predicts(&self) -> Predicts {
        Predicts::Classes
    }

    fn remove_defaults(&mut self) {
        self.max_iterations = self.max_iterations.filter(|most| *most != Self::DEFAULT_MAX_ITERATIONS);
        self.alpha = self.alpha.filter(|alpha| *alpha != Self::DEFAULT_ALPHA);
    }

    fn problems(&self) -> Vec<ParameterProblem> {
        let problems =
            [not_negative("alpha", self.alpha), between("maxIterations", self.max_iterations, (1, 100_000))];
        problems.into_iter().flatten().collect()
    }
}
