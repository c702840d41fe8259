//! From the algorithm of a spec to what learns.

use mlpipeline_crds::Algorithm;

use super::error::TrainError;
use super::learner::Learner;
use super::least_squares::LeastSquares;
use super::logistic::Logistic;

impl Learner {
    /// The algorithm that a spec asks for, and its name.
    ///
    /// # Errors
    /// When there is not exactly one, or a parameter is out of its bounds.
    pub fn new(algorithm: &Algorithm) -> Result<(Self, &'static str), TrainError> {
        match (&algorithm.logistic_regression, &algorithm.linear_regression) {
            (Some(parameters), None) => {
                Ok((Self::Classifier(Box::new(Logistic::new(parameters)?)), "logisticRegression"))
            }
            (None, Some(parameters)) => {
                Ok((Self::Regressor(Box::new(LeastSquares::new(parameters)?)), "linearRegression"))
            }
            _ => Err(TrainError::Spec(
                "algorithm: give exactly one of logisticRegression and linearRegression".to_owned(),
            )),
        }
    }
}
