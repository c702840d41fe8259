//! Elastic net regression and the lasso, by coordinate descent.
//!
//! What is minimised is scikit-learn's: half of the mean squared error plus the penalties, intercept free. The descent works on
//! the rows' triangular factor, so that a pass costs features² however many rows there are, and always continues to the minimum: a
//! tolerance is not asked for. It is our own because the ElasticNet of linfa 0.8.1 does not centre the features.

use mlpipeline_crds::{ElasticNet as Parameters, Lasso, LinearRegression};
use ndarray::Array1;

use super::coordinate_descent::Descent;
use super::error::TrainError;
use super::factored::Factored;
use super::learner::{Fitted, Regressor};
use super::matrix::Rows;

/// By how much a pass may still move a feature's share of the predictions, relative to the target's spread, at the minimum.
const CONVERGED: f64 = 1e-12;

/// The movement above which stopping early is worth a warning.
const WORTH_A_WARNING: f64 = 1e-6;

/// Elastic net regression with checked parameters.
#[derive(Clone, Debug)]
pub struct ElasticNet {
    alpha: f64,
    l1_ratio: f64,
    fit_intercept: bool,
    passes: usize,
}

impl ElasticNet {
    /// Elastic net regression with these parameters, which are within their bounds.
    #[must_use]
    pub fn new(parameters: &Parameters) -> Self {
        let passes = parameters.max_iterations.unwrap_or(Parameters::DEFAULT_MAX_ITERATIONS);
        Self {
            alpha: parameters.alpha.unwrap_or(Parameters::DEFAULT_ALPHA),
            l1_ratio: parameters.l1_ratio.unwrap_or(Parameters::DEFAULT_L1_RATIO),
            fit_intercept: parameters.fit_intercept.unwrap_or(LinearRegression::DEFAULT_FIT_INTERCEPT),
            passes: usize::try_from(passes).unwrap_or_default(),
        }
    }

    /// The lasso with these parameters, which are within their bounds.
    #[must_use]
    pub fn lasso(parameters: &Lasso) -> Self {
        let Lasso { alpha, fit_intercept, max_iterations } = parameters.clone();
        Self::new(&Parameters { alpha, l1_ratio: Some(1.0), fit_intercept, max_iterations })
    }
}

impl Regressor for ElasticNet {
    fn fit(&self, rows: &Rows<'_>, numbers: &[f64]) -> Result<Fitted, TrainError> {
        let factored = Factored::new(rows, numbers, self.fit_intercept);
        let mut descent =
            Descent::new(&factored, self.alpha * self.l1_ratio, self.alpha * (1.0 - self.l1_ratio));
        let moved = descent.run(self.passes, CONVERGED);
        if !descent.weights.iter().all(|weight| weight.is_finite()) {
            return Err(TrainError::Numbers("the weights are not finite".to_owned()));
        }
        let warning = (moved > WORTH_A_WARNING).then(|| {
            format!(
                "the weights did not converge in {} passes over the features: raise maxIterations or alpha",
                self.passes
            )
        });
        let scaled = descent.weights.iter().zip(&factored.scaling.deviations);
        let weights: Array1<f64> = scaled.map(|(weight, deviation)| weight / deviation).collect();
        Ok(Fitted { predictor: factored.predictor(weights).into(), warning })
    }

    fn row_bytes(&self, _width: usize) -> Option<usize> {
        Some(0)
    }
}
