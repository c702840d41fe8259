//! The parameters of elastic net regression, and of its special case, the lasso.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{between, not_negative, within};
use super::{LinearRegression, ParameterProblem, Parameters, Predicts};

/// Parameters of elastic net regression. The loss is half of the mean squared error, plus alpha times (l1Ratio times the sum of
/// the absolute weights, plus (1 - l1Ratio) / 2 times the sum of the squared weights); the intercept is not penalised.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ElasticNet {
    /// The strength of the penalty, 0 or more; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub alpha: Option<f64>,
    /// The L1 penalty's share, 0 to 1; 0.5 when absent. With 1 it is the lasso.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub l1_ratio: Option<f64>,
    /// Whether there is an intercept; true when absent. Without one, the prediction for a row of zeros is 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fit_intercept: Option<bool>,
    /// The most passes over the features; 1000 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_iterations: Option<i32>,
}

/// Parameters of the lasso. The loss is half of the mean squared error, plus alpha times the sum of the absolute weights; the
/// intercept is not penalised.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lasso {
    /// The strength of the L1 penalty, 0 or more; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub alpha: Option<f64>,
    /// Whether there is an intercept; true when absent. Without one, the prediction for a row of zeros is 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fit_intercept: Option<bool>,
    /// The most passes over the features; 1000 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_iterations: Option<i32>,
}

impl ElasticNet {
    /// [`ElasticNet::alpha`] and [`Lasso::alpha`] when absent.
    pub const DEFAULT_ALPHA: f64 = 1.0;
    /// [`ElasticNet::l1_ratio`] when absent.
    pub const DEFAULT_L1_RATIO: f64 = 0.5;
    /// [`ElasticNet::max_iterations`] and [`Lasso::max_iterations`] when absent.
    pub const DEFAULT_MAX_ITERATIONS: i32 = 1000;
}

impl Parameters for ElasticNet {
    fn predicts(&self) -> Predicts {
        Predicts::Numbers
    }

    fn remove_defaults(&mut self) {
        self.alpha = self.alpha.filter(|alpha| *alpha != Self::DEFAULT_ALPHA);
        self.l1_ratio = self.l1_ratio.filter(|share| *share != Self::DEFAULT_L1_RATIO);
        self.fit_intercept = self.fit_intercept.filter(|fit| *fit != LinearRegression::DEFAULT_FIT_INTERCEPT);
        self.max_iterations = self.max_iterations.filter(|most| *most != Self::DEFAULT_MAX_ITERATIONS);
    }

    fn problems(&self) -> Vec<ParameterProblem> {
        let problems = [
            not_negative("alpha", self.alpha),
            within("l1Ratio", self.l1_ratio, (0.0, 1.0)),
            between("maxIterations", self.max_iterations, (1, 1_000_000)),
        ];
        problems.into_iter().flatten().collect()
    }
}

impl Parameters for Lasso {
    fn predicts(&self) -> Predicts {
        Predicts::Numbers
    }

    fn remove_defaults(&mut self) {
        self.alpha = self.alpha.filter(|alpha| *alpha != ElasticNet::DEFAULT_ALPHA);
        self.fit_intercept = self.fit_intercept.filter(|fit| *fit != LinearRegression::DEFAULT_FIT_INTERCEPT);
        self.max_iterations = self.max_iterations.filter(|most| *most != ElasticNet::DEFAULT_MAX_ITERATIONS);
    }

    fn problems(&self) -> Vec<ParameterProblem> {
        let problems = [
            not_negative("alpha", self.alpha),
            between("maxIterations", self.max_iterations, (1, 1_000_000)),
        ];
        problems.into_iter().flatten().collect()
    }
}
