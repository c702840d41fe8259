//! The parameters of linear support vector machines.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{between, positive};
use super::class_weight::weights_problem;
use super::{ClassWeight, ParameterProblem, Parameters, Predicts};
use crate::step_version::{OLDEST_STEP_SPEC_VERSION, TUNING_VERSION};

/// Parameters of a linear support vector machine, of one class against all others where there are more than two. The loss is
/// half of the sum of the squared weights, plus c times the sum over rows of the squared hinge loss. The intercept is penalised
/// as a weight. Probabilities are the logistic function of the margins, and not calibrated.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LinearSvm {
    /// The strength of the rows against the penalty, more than 0; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub c: Option<f64>,
    /// How much the rows of a class count; each row the same when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_weight: Option<ClassWeight>,
    /// How much a row of each class counts, more than 0, by the class's name; 1 for classes that are not named. With more than
    /// two classes it is the class against all others whose rows count so.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 1000))]
    pub class_weights: BTreeMap<String, f64>,
    /// The most iterations of the optimiser; 1000 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub max_iterations: Option<i32>,
}

impl LinearSvm {
    /// [`LinearSvm::c`] when absent.
    pub const DEFAULT_C: f64 = 1.0;
    /// [`LinearSvm::max_iterations`] when absent.
    pub const DEFAULT_MAX_ITERATIONS: i32 = 1000;
}

impl Parameters for LinearSvm {
    fn predicts(&self) -> Predicts {
        Predicts::Classes
    }

    fn remove_defaults(&mut self) {
        self.c = self.c.filter(|c| *c != Self::DEFAULT_C);
        self.max_iterations = self.max_iterations.filter(|most| *most != Self::DEFAULT_MAX_ITERATIONS);
    }

    fn problems(&self) -> Vec<ParameterProblem> {
        let problems = [
            positive("c", self.c),
            between("maxIterations", self.max_iterations, (1, 100_000)),
            weights_problem(self.class_weight, &self.class_weights),
        ];
        problems.into_iter().flatten().collect()
    }

    fn step_version(&self) -> u32 {
        if self.class_weights.is_empty() { OLDEST_STEP_SPEC_VERSION } else { TUNING_VERSION }
    }
}
