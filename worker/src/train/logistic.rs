//! Logistic regression with an L2 penalty.
//!
//! What is minimised, and so the result, is scikit-learn's: the sum over rows of the negative log-likelihood plus alpha / 2
//! times the sum of the squared weights, intercepts free; two classes take one row of weights, more take one each. It is
//! our own because linfa-logistic 0.8.1 takes the maximum over the whole matrix, where the log of a sum of exponentials needs
//! each row's own: rows whose scores lie far below another row's get a wrong loss and a wrong gradient. On the wine data with a
//! weak penalty it stops at a loss of 11.3 where the minimum is 0.9; `tests/linfa_logistic.rs` shows it.

use mlpipeline_crds::LogisticRegression;
use ndarray::{Array1, Array2, Axis};

use super::error::TrainError;
use super::lbfgs::{Stop, minimise};
use super::learner::{Classifier, Fitted};
use super::logistic_loss::LogisticLoss;
use super::matrix::Rows;
use super::scaling::Scaling;
use crate::model::LinearPredictor;

/// The slope of the mean loss, in coordinates whose curvature is at most 1, at which the minimum is reached: some hundred
/// times what rounding leaves.
const CONVERGED: f64 = 1e-10;

/// The slope above which stopping early is worth a warning: below it nothing that anybody sees still changes.
const WORTH_A_WARNING: f64 = 1e-5;

/// The most weights: the optimiser keeps some hundred numbers for each.
const MAX_WEIGHTS: usize = 1 << 20;

/// Logistic regression with checked parameters.
#[derive(Clone, Debug)]
pub struct Logistic {
    iterations: usize,
    alpha: f64,
}

impl Logistic {
    /// Logistic regression with these parameters, which are within their bounds.
    #[must_use]
    pub fn new(parameters: &LogisticRegression) -> Self {
        let iterations = parameters.max_iterations.unwrap_or(LogisticRegression::DEFAULT_MAX_ITERATIONS);
        Self {
            iterations: usize::try_from(iterations).unwrap_or_default(),
            alpha: parameters.alpha.unwrap_or(LogisticRegression::DEFAULT_ALPHA),
        }
    }
}

impl Classifier for Logistic {
    fn fit(&self, rows: &Rows<'_>, classes: &[u32], count: usize) -> Result<Fitted, TrainError> {
        if rows.width().saturating_mul(count) > MAX_WEIGHTS {
            return Err(TrainError::Data(format!(
                "{} features for {count} classes make more than {MAX_WEIGHTS} weights; name fewer features, or put rare classes \
                 together in a prepare step",
                rows.width()
            )));
        }
        let scaling = Scaling::measure(rows);
        let loss = LogisticLoss::new(*rows, classes, count, &scaling, self.alpha);
        let start = vec![0.0; loss.parameters()];
        let stop = Stop { iterations: self.iterations, gradient: CONVERGED };
        let minimum = minimise(start, stop, |point, gradient| loss.evaluate(point, gradient));
        let warning = (minimum.gradient > WORTH_A_WARNING).then(|| {
            format!(
                "logistic regression did not converge in {} iterations: raise maxIterations (or alpha, when the \
                 classes can be told apart without error)",
                minimum.iterations
            )
        });
        Ok(Fitted { predictor: unscaled(loss.weights(&minimum.point), &scaling).into(), warning })
    }
}

/// Carries weights (features × outputs) and intercepts for scaled features back to the data's units.
fn unscaled((weights, mut intercepts): (Array2<f64>, Array1<f64>), scaling: &Scaling) -> LinearPredictor {
    let mut weights = weights.reversed_axes().as_standard_layout().into_owned();
    for (mut row, intercept) in weights.axis_iter_mut(Axis(0)).zip(&mut intercepts) {
        for (weight, (deviation, mean)) in row.iter_mut().zip(scaling.deviations.iter().zip(&scaling.means)) {
            *weight /= deviation;
            *intercept -= *weight * mean;
        }
    }
    LinearPredictor::new(weights, intercepts)
}
