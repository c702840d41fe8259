//! The parameters of the truncated singular value decomposition.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::between;
use super::{ParameterProblem, Parameters, Predicts};
use crate::step_version::TUNING_VERSION;

/// Parameters of the truncated singular value decomposition: as principal component analysis, but about 0 and not about the means,
/// which suits counts and weights of words.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TruncatedSvd {
    /// How many components; 2 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4096))]
    pub n_components: Option<i32>,
}

impl TruncatedSvd {
    /// [`TruncatedSvd::n_components`] when absent.
    pub const DEFAULT_N_COMPONENTS: i32 = 2;
}

impl Parameters for TruncatedSvd {
    fn predicts(&self) -> Predicts {
        Predicts::Components
    }

    fn remove_defaults(&mut self) {
        self.n_components = self.n_components.filter(|count| *count != Self::DEFAULT_N_COMPONENTS);
    }

    fn problems(&self) -> Vec<ParameterProblem> {
        between("nComponents", self.n_components, (1, 4096)).into_iter().collect()
    }

    fn step_version(&self) -> u32 {
        TUNING_VERSION
    }
}
