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
    /// Whether there is an intercept; true when absent. Without one, the prediction for a row of zeros is 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fit_intercept: Option<bool>,
}

impl LinearRegression {
    /// [`LinearRegression::alpha`] when absent.
    pub const DEFAULT_ALPHA: f64 = 0.0;
    /// [`LinearRegression::fit_intercept`] when absent; that of the other regressions by weights too.
    pub const DEFAULT_FIT_INTERCEPT: bool = true;
}

impl Parameters for LinearRegression {
    fn predicts(&self) -> Predicts {
        Predicts::Numbers
    }

    fn remove_defaults(&mut self) {
        self.alpha = self.alpha.filter(|alpha| *alpha != Self::DEFAULT_ALPHA);
        self.fit_intercept = self.fit_intercept.filter(|fit| *fit != Self::DEFAULT_FIT_INTERCEPT);
    }

    fn problems(&self) -> Vec<ParameterProblem> {
        not_negative("alpha", self.alpha).into_iter().collect()
    }
}
