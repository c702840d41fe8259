//! The parameters of Bernoulli naive Bayes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{finite, positive};
use super::{MultinomialNaiveBayes, ParameterProblem, Parameters, Predicts};

/// Parameters of Bernoulli naive Bayes: a feature is there or not, with a probability of its own in each class.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BernoulliNaiveBayes {
    /// What is added to each feature's count in each class, more than 0; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub alpha: Option<f64>,
    /// A feature is there where its value is above this; 0 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binarize: Option<f64>,
    /// Whether a class is as likely as its share of the rows, and not as any other; true when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fit_prior: Option<bool>,
}

impl BernoulliNaiveBayes {
    /// [`BernoulliNaiveBayes::binarize`] when absent.
    pub const DEFAULT_BINARIZE: f64 = 0.0;
}

impl Parameters for BernoulliNaiveBayes {
    fn predicts(&self) -> Predicts {
        Predicts::Classes
    }

    fn remove_defaults(&mut self) {
        self.alpha = self.alpha.filter(|alpha| *alpha != MultinomialNaiveBayes::DEFAULT_ALPHA);
        self.binarize = self.binarize.filter(|above| *above != Self::DEFAULT_BINARIZE);
        self.fit_prior = self.fit_prior.filter(|fit| *fit != MultinomialNaiveBayes::DEFAULT_FIT_PRIOR);
    }

    fn problems(&self) -> Vec<ParameterProblem> {
        [positive("alpha", self.alpha), finite("binarize", self.binarize)].into_iter().flatten().collect()
    }
}
