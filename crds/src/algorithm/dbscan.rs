//! The parameters of DBSCAN.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::between;
use super::{ParameterProblem, Parameters, Predicts};
use crate::step_version::TUNING_VERSION;

/// Parameters of DBSCAN: clusters are where rows are dense, whatever their shape, and rows that are near to none of them are noise.
/// Clusters are numbered by how many dense rows they have, from 0 for the largest; noise is -1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Dbscan {
    /// How far apart rows may be to be neighbours, in the unit of the columns; 0.5 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub eps: Option<f64>,
    /// How many rows must be within eps of a row, itself counted, for it to be dense; 5 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub min_samples: Option<i32>,
}

impl Dbscan {
    /// [`Dbscan::eps`] when absent.
    pub const DEFAULT_EPS: f64 = 0.5;
    /// [`Dbscan::min_samples`] when absent.
    pub const DEFAULT_MIN_SAMPLES: i32 = 5;
}

impl Parameters for Dbscan {
    fn predicts(&self) -> Predicts {
        Predicts::Clusters
    }

    fn remove_defaults(&mut self) {
        self.eps = self.eps.filter(|eps| *eps != Self::DEFAULT_EPS);
        self.min_samples = self.min_samples.filter(|count| *count != Self::DEFAULT_MIN_SAMPLES);
    }

    fn problems(&self) -> Vec<ParameterProblem> {
        let eps = self.eps.filter(|eps| !(1e-100..=1e100).contains(eps)).map(|eps| ParameterProblem {
            parameter: "eps",
            problem: format!("is {eps:e}; 1e-100 to 1e100 is allowed"),
        });
        eps.into_iter().chain(between("minSamples", self.min_samples, (1, 1_000_000))).collect()
    }

    fn step_version(&self) -> u32 {
        TUNING_VERSION
    }
}
