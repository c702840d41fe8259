//! From the algorithm of a spec to what learns: the table of all learners.

use mlpipeline_crds::{Algorithm, ChosenAlgorithm};

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
        let chosen = algorithm.chosen().ok_or_else(|| {
            TrainError::Spec(format!("algorithm: give exactly one of {}", Algorithm::NAMES.join(", ")))
        })?;
        let name = chosen.name();
        if let Some(wrong) = chosen.problems().first() {
            return Err(TrainError::Spec(format!("algorithm.{name}.{} {}", wrong.parameter, wrong.problem)));
        }
        let learner = match chosen {
            ChosenAlgorithm::LogisticRegression(parameters) => {
                Self::Classifier(Box::new(Logistic::new(parameters)))
            }
            ChosenAlgorithm::LinearRegression(parameters) => {
                Self::Regressor(Box::new(LeastSquares::new(parameters)))
            }
        };
        Ok((learner, name))
    }
}
