//! From the algorithm of a spec to what learns: the table of all learners.

use mlpipeline_crds::{Algorithm, ChosenAlgorithm, Predicts};

use super::boosting::GradientBoosting;
use super::error::TrainError;
use super::forest::Forest;
use super::gaussian::GaussianNaiveBayes;
use super::learner::{Classifier, Learner, Regressor};
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
        let predicts = chosen.predicts();
        let learner = match chosen {
            ChosenAlgorithm::LogisticRegression(parameters) => {
                Self::Classifier(Box::new(Logistic::new(parameters)))
            }
            ChosenAlgorithm::LinearRegression(parameters) => {
                Self::Regressor(Box::new(LeastSquares::new(parameters)))
            }
            ChosenAlgorithm::GaussianNaiveBayes(parameters) => {
                Self::Classifier(Box::new(GaussianNaiveBayes::new(parameters)))
            }
            ChosenAlgorithm::DecisionTree(parameters) => Self::of(Forest::tree(parameters), predicts),
            ChosenAlgorithm::RandomForest(parameters) => Self::of(Forest::random(parameters), predicts),
            ChosenAlgorithm::ExtraTrees(parameters) => Self::of(Forest::extra(parameters), predicts),
            ChosenAlgorithm::GradientBoosting(parameters) => {
                Self::of(GradientBoosting::new(parameters), predicts)
            }
        };
        Ok((learner, name))
    }

    /// An algorithm that learns both, for what it is to learn here.
    fn of(algorithm: impl Classifier + Regressor + 'static, predicts: Predicts) -> Self {
        match predicts {
            Predicts::Classes => Self::Classifier(Box::new(algorithm)),
            Predicts::Numbers => Self::Regressor(Box::new(algorithm)),
        }
    }
}
