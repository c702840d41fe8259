//! From the algorithm of a spec to what learns: the table of all learners.

use mlpipeline_crds::{Algorithm, ChosenAlgorithm, Predicts};

use super::boosting::GradientBoosting;
use super::counting_bayes::CountingBayes;
use super::dbscan::Dbscan;
use super::elastic_net::ElasticNet;
use super::error::TrainError;
use super::forest::Forest;
use super::gaussian::GaussianNaiveBayes;
use super::isolation::IsolationForest;
use super::k_means::KMeans;
use super::learner::{Classifier, Learner, Regressor};
use super::least_squares::LeastSquares;
use super::linear_svm::SupportVectors;
use super::logistic::Logistic;
use super::mixture::GaussianMixture;
use super::neighbors::Neighbors;
use super::pca::Pca;
use super::poisson::Poisson;
use super::seasonal_naive::SeasonalNaive;

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
            ChosenAlgorithm::Ridge(parameters) => Self::Regressor(Box::new(LeastSquares::ridge(parameters))),
            ChosenAlgorithm::Lasso(parameters) => Self::Regressor(Box::new(ElasticNet::lasso(parameters))),
            ChosenAlgorithm::ElasticNet(parameters) => Self::Regressor(Box::new(ElasticNet::new(parameters))),
            ChosenAlgorithm::PoissonRegression(parameters) => {
                Self::Regressor(Box::new(Poisson::new(parameters)))
            }
            ChosenAlgorithm::GaussianNaiveBayes(parameters) => {
                Self::Classifier(Box::new(GaussianNaiveBayes::new(parameters)))
            }
            ChosenAlgorithm::MultinomialNaiveBayes(parameters) => {
                Self::Classifier(Box::new(CountingBayes::multinomial(parameters)))
            }
            ChosenAlgorithm::BernoulliNaiveBayes(parameters) => {
                Self::Classifier(Box::new(CountingBayes::bernoulli(parameters)))
            }
            ChosenAlgorithm::LinearSvm(parameters) => {
                Self::Classifier(Box::new(SupportVectors::new(parameters)))
            }
            ChosenAlgorithm::KNeighbors(parameters) => Self::of(Neighbors::new(parameters), predicts)?,
            ChosenAlgorithm::DecisionTree(parameters) => Self::of(Forest::tree(parameters), predicts)?,
            ChosenAlgorithm::RandomForest(parameters) => Self::of(Forest::random(parameters), predicts)?,
            ChosenAlgorithm::ExtraTrees(parameters) => Self::of(Forest::extra(parameters), predicts)?,
            ChosenAlgorithm::GradientBoosting(parameters) => {
                Self::of(GradientBoosting::new(parameters), predicts)?
            }
            ChosenAlgorithm::SeasonalNaive(parameters) => {
                Self::Regressor(Box::new(SeasonalNaive::new(parameters)))
            }
            ChosenAlgorithm::KMeans(parameters) => Self::Finder(Box::new(KMeans::new(parameters))),
            ChosenAlgorithm::GaussianMixture(parameters) => {
                Self::Finder(Box::new(GaussianMixture::new(parameters)))
            }
            ChosenAlgorithm::IsolationForest(parameters) => {
                Self::Finder(Box::new(IsolationForest::new(parameters)))
            }
            ChosenAlgorithm::Dbscan(parameters) => Self::Finder(Box::new(Dbscan::new(parameters))),
            ChosenAlgorithm::Pca(parameters) => Self::Finder(Box::new(Pca::new(parameters))),
            ChosenAlgorithm::TruncatedSvd(parameters) => {
                Self::Finder(Box::new(Pca::truncated_svd(parameters)))
            }
        };
        Ok((learner, name))
    }

    /// An algorithm that learns both, for what it is to learn here.
    fn of(algorithm: impl Classifier + Regressor + 'static, predicts: Predicts) -> Result<Self, TrainError> {
        match predicts {
            Predicts::Classes => Ok(Self::Classifier(Box::new(algorithm))),
            Predicts::Numbers => Ok(Self::Regressor(Box::new(algorithm))),
            Predicts::Clusters | Predicts::Outliers | Predicts::Components => Err(TrainError::Internal(
                "an algorithm of both tasks is to learn without a target".to_owned(),
            )),
        }
    }
}
