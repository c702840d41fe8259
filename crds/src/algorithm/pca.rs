//! The parameters of principal component analysis.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ParameterProblem, Parameters, Predicts};

/// Parameters of principal component analysis: the directions in which rows differ most, the first of them first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pca {
    /// How many components: a whole number, or below 1 the share of the variance that they are to explain together. As many as
    /// there are features, or rows where those are fewer, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 4096.0))]
    pub n_components: Option<f64>,
}

impl Parameters for Pca {
    fn predicts(&self) -> Predicts {
        Predicts::Components
    }

    fn remove_defaults(&mut self) {}

    fn problems(&self) -> Vec<ParameterProblem> {
        let is_allowed = |count: f64| count > 0.0 && count <= 4096.0 && (count < 1.0 || count.fract() == 0.0);
        let wrong = self.n_components.filter(|count| !is_allowed(*count));
        let problem = |count| ParameterProblem {
            parameter: "nComponents",
            problem: format!(
                "is {count}; a whole number from 1 to 4096, or a share between 0 and 1, is allowed"
            ),
        };
        wrong.map(problem).into_iter().collect()
    }
}
