//! The parameters of Gaussian naive Bayes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::not_negative;
use super::{ParameterProblem, Parameters, Predicts};

/// Parameters of Gaussian naive Bayes: every feature of a class has a normal distribution, independent of the others.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GaussianNaiveBayes {
    /// The share of the largest variance among the features that is added to all variances, 0 or more; 1e-9 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub var_smoothing: Option<f64>,
}

impl GaussianNaiveBayes {
    /// [`GaussianNaiveBayes::var_smoothing`] when absent.
    pub const DEFAULT_VAR_SMOOTHING: f64 = 1e-9;
}

impl Parameters for GaussianNaiveBayes {
    fn predicts(&self) -> Predicts {
        Predicts::Classes
    }

    fn remove_defaults(&mut self) {
        self.var_smoothing = self.var_smoothing.filter(|share| *share != Self::DEFAULT_VAR_SMOOTHING);
    }

    fn problems(&self) -> Vec<ParameterProblem> {
        not_negative("varSmoothing", self.var_smoothing).into_iter().collect()
    }
}
