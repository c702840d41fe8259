//! What the parameters of every algorithm answer.

use crate::step_version::OLDEST_STEP_SPEC_VERSION;

/// The parameters of an algorithm. All are optional: without any, the algorithm takes its defaults.
pub trait Parameters {
    /// What the algorithm predicts with these parameters.
    fn predicts(&self) -> Predicts;

    /// Removes values that are the defaults.
    fn remove_defaults(&mut self);

    /// What is out of its bounds. The resource's schema has the same bounds; a step that never met an API server has not.
    fn problems(&self) -> Vec<ParameterProblem>;

    /// The quantile that is predicted, where it is not a mean.
    fn quantile(&self) -> Option<f64> {
        None
    }

    /// The lowest version of a step that can say them: an older worker would leave out without a word what it does not know.
    fn step_version(&self) -> u32 {
        OLDEST_STEP_SPEC_VERSION
    }
}

/// What an algorithm predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Predicts {
    /// Classes, with their probabilities.
    Classes,
    /// Numbers.
    Numbers,
    /// Clusters: which rows are alike. Without a target.
    Clusters,
    /// Outliers: which rows are unlike all others. Without a target.
    Outliers,
    /// Components: fewer numbers that say most of what the rows say. Without a target.
    Components,
}

impl Predicts {
    /// Whether it is learned from a column that says what is right.
    #[must_use]
    pub fn needs_target(self) -> bool {
        match self {
            Self::Classes | Self::Numbers => true,
            Self::Clusters | Self::Outliers | Self::Components => false,
        }
    }
}

/// A parameter that is out of its bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterProblem {
    /// The parameter, as in a spec.
    pub parameter: &'static str,
    /// What was found, and what is allowed: "is -1; 0 or more is allowed".
    pub problem: String,
}
