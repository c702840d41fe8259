//! The parameters of multinomial naive Bayes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::positive;
use super::{ParameterProblem, Parameters, Predicts};

/// Parameters of multinomial naive Bayes: a row counts how often each of some things occurs, and each class has its shares of
/// them. Features are 0 or more.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MultinomialNaiveBayes {
    /// What is added to each feature's count in each class, more than 0; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub alpha: Option<f64>,
    /// Whether a class is as likely as its share of the rows, and not as any other; true when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fit_prior: Option<bool>,
}

impl MultinomialNaiveBayes {
    /// [`MultinomialNaiveBayes::alpha`] when absent; that of Bernoulli naive Bayes too.
    pub const DEFAULT_ALPHA: f64 = 1.0;
    /// [`MultinomialNaiveBayes::fit_prior`] when absent; that of Bernoulli naive Bayes too.
    pub const DEFAULT_FIT_PRIOR: bool = true;
}

impl Parameters for MultinomialNaiveBayes {
    fn predicts(&self) -> Predicts {
        Predicts::Classes
    }

    fn remove_defaults(&mut self) {
        self.alpha = self.alpha.filter(|alpha| *alpha != Self::DEFAULT_ALPHA);
        self.fit_prior = self.fit_prior.filter(|fit| *fit != Self::DEFAULT_FIT_PRIOR);
    }

    fn problems(&self) -> Vec<ParameterProblem> {
        positive("alpha", self.alpha).into_iter().collect()
    }
}
