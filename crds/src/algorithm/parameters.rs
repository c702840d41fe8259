//! What the parameters of every algorithm answer.

/// The parameters of an algorithm. All are optional: without any, the algorithm takes its defaults.
pub trait Parameters {
    /// What the algorithm predicts with these parameters.
    fn predicts(&self) -> Predicts;

    /// Removes values that are the defaults.
    fn remove_defaults(&mut self);

    /// What is out of its bounds. The resource's schema has the same bounds; a step that never met an API server has not.
    fn problems(&self) -> Vec<ParameterProblem>;
}

/// What an algorithm predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Predicts {
    /// Classes, with their probabilities.
    Classes,
    /// Numbers.
    Numbers,
}

/// A parameter that is out of its bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterProblem {
    /// The parameter, as in a spec.
    pub parameter: &'static str,
    /// What was found, and what is allowed: "is -1; 0 or more is allowed".
    pub problem: String,
}
