//! The parameters of linear regression.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::not_negative;
use super::{ParameterProblem, Parameters, Predicts};

/// Parameters of linear regression. The loss is the sum over rows of the squared error, plus alpha times the sum of the
/// squared weights; the intercept is not penalised.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LinearRegression {
    /// The strength of the L2 penalty, 0 or more; 0 (ordinary least squares) when absent. It is alpha of scikit-learn's Ridge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub alpha: Option<f64>,
}

impl LinearRegression {
    /// [`LinearRegression::alpha`] when absent.
    pub const DEFAULT_ALPHA: f64 = 0.0;
}

impl Parameters for LinearRegression {
    fn predicts(&self) -> Predicts {
        Predicts::Numbers
    }

    fn remove_defaults(&mut self) {
        self.alpha = self.alpha.filter(|alpha| *alpha != Self::DEFAULT_ALPHA);
    }

    fn problems(&self) -> Vec<ParameterProblem> {
        not_negative("alpha", self.alpha).into_iter().collect()
    }
}
