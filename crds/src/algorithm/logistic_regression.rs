//! The parameters of logistic regression.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{between, not_negative, within};
use super::class_weight::weights_problem;
use super::{ClassWeight, ParameterProblem, Parameters, Predicts};
use crate::step_version::{OLDEST_STEP_SPEC_VERSION, TUNING_VERSION};

/// Parameters of logistic regression. The loss is the sum over rows of the negative log-likelihood, plus alpha times the
/// penalty: half of the sum of the squared weights, the sum of the absolute weights, or l1Ratio of the one and the rest of the
/// other. Intercepts are not penalised.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogisticRegression {
    /// The most iterations of the optimiser; 200 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub max_iterations: Option<i32>,
    /// What keeps weights small; l2 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalty: Option<Penalty>,
    /// With penalty: elasticNet, the share of the L1 penalty, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub l1_ratio: Option<f64>,
    /// The strength of the penalty, 0 or more; 1 when absent. It is the inverse of scikit-learn's C.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub alpha: Option<f64>,
    /// How much the rows of a class count; each row the same when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_weight: Option<ClassWeight>,
    /// How much a row of each class counts, more than 0, by the class's name; 1 for classes that are not named.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 1000))]
    pub class_weights: BTreeMap<String, f64>,
}

/// What keeps the weights of a logistic regression small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Penalty {
    /// The squared weights.
    #[default]
    L2,
    /// The absolute weights, which sets weights of little use to 0.
    L1,
    /// Both, in shares.
    ElasticNet,
    /// Nothing.
    None,
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
        self.penalty = self.penalty.filter(|penalty| *penalty != Penalty::default());
    }

    fn problems(&self) -> Vec<ParameterProblem> {
        let penalty = self.penalty.unwrap_or_default();
        let has = |parameter, problem: &str| ParameterProblem { parameter, problem: problem.to_owned() };
        let problems = [
            not_negative("alpha", self.alpha),
            between("maxIterations", self.max_iterations, (1, 100_000)),
            within("l1Ratio", self.l1_ratio, (0.0, 1.0)),
            (penalty == Penalty::ElasticNet && self.l1_ratio.is_none())
                .then(|| has("l1Ratio", "is missing: penalty: elasticNet needs one, such as 0.5")),
            (penalty != Penalty::ElasticNet && self.l1_ratio.is_some())
                .then(|| has("l1Ratio", "goes with penalty: elasticNet; leave it out, or set penalty")),
            (penalty == Penalty::None && self.alpha.is_some_and(|alpha| alpha != Self::DEFAULT_ALPHA))
                .then(|| has("alpha", "does nothing with penalty: none; leave one of them out")),
            weights_problem(self.class_weight, &self.class_weights),
        ];
        problems.into_iter().flatten().collect()
    }

    fn step_version(&self) -> u32 {
        let is_newer = self.penalty.is_some() || self.l1_ratio.is_some() || !self.class_weights.is_empty();
        if is_newer { TUNING_VERSION } else { OLDEST_STEP_SPEC_VERSION }
    }
}
