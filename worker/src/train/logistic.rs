//! Logistic regression: classification by weighted sums with a penalty on the weights.
//!
//! What is minimised, and so the result, is scikit-learn's: the sum over rows of the negative log-likelihood plus alpha times
//! half of the sum of the squared weights, the sum of the absolute ones, or a mix, intercepts free; two classes take one row of weights, more take one each. It is
//! our own because linfa-logistic 0.8.1 takes the maximum over the whole matrix, where the log of a sum of exponentials needs
//! each row's own: rows whose scores lie far below another row's get a wrong loss and a wrong gradient. On the wine data with a
//! weak penalty it stops at a loss of 11.3 where the minimum is 0.9; `tests/linfa_logistic.rs` shows it. Most of that is its solver's,
//! on features of such different scales: docs/explanation/linfa.md has the parts.

use mlpipeline_crds::{LogisticRegression, Penalty};
use ndarray::{Array1, Array2, Axis};

use super::class_loss::ClassLoss;
use super::class_weights::ClassWeights;
use super::error::TrainError;
use super::lbfgs::{Stop, minimise};
use super::learner::{Classifier, Fitted, Names};
use super::matrix::Rows;
use super::scaling::Scaling;
use super::separation::Endless;
use super::sparse_logistic::minimise_sparse;
use crate::model::{LinearPredictor, Predictor};

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
    /// The strengths of the penalties.
    l1: f64,
    l2: f64,
    class_weights: ClassWeights,
}

impl Logistic {
    /// Logistic regression with these parameters, which are within their bounds.
    #[must_use]
    pub fn new(parameters: &LogisticRegression) -> Self {
        let iterations = parameters.max_iterations.unwrap_or(LogisticRegression::DEFAULT_MAX_ITERATIONS);
        let alpha = parameters.alpha.unwrap_or(LogisticRegression::DEFAULT_ALPHA);
        let (l1, l2) = match parameters.penalty.unwrap_or_default() {
            Penalty::L2 => (0.0, alpha),
            Penalty::L1 => (alpha, 0.0),
            Penalty::ElasticNet => {
                let share = parameters.l1_ratio.unwrap_or_default();
                (share * alpha, (1.0 - share) * alpha)
            }
            Penalty::None => (0.0, 0.0),
        };
        Self {
            iterations: usize::try_from(iterations).unwrap_or_default(),
            l1,
            l2,
            class_weights: ClassWeights::new(parameters.class_weight, &parameters.class_weights),
        }
    }
}

impl Classifier for Logistic {
    fn fit(&self, rows: &Rows<'_>, classes: &[u32], count: usize) -> Result<Fitted, TrainError> {
        check_weights(rows.width(), count)?;
        let scaling = Scaling::measure(rows);
        let class_weights = self.class_weights.of(rows, classes, count)?;
        let stop = Stop { iterations: self.iterations, gradient: CONVERGED };
        let is_sparse = self.l1 > 0.0;
        let make = if is_sparse { ClassLoss::plain } else { ClassLoss::new };
        let loss = make(*rows, classes, class_weights, &scaling, self.l2);
        let minimum = if is_sparse {
            minimise_sparse(&loss, self.l1, stop)?
        } else {
            let start = vec![0.0; loss.parameters()];
            minimise(start, stop, |point, gradient| loss.evaluate(point, gradient))
        };
        let warning = (minimum.gradient.is_nan() || minimum.gradient > WORTH_A_WARNING).then(|| {
            let raise = "maxIterations (or alpha, when the classes can be distinguished without error)";
            minimum.not_converged("logistic regression", self.iterations, raise)
        });
        let predictor = unscaled(loss.weights(&minimum.point), &scaling, is_sparse);
        Ok(Fitted { predictor: predictor.into(), warning })
    }

    fn row_bytes(&self, _width: usize, _classes: usize) -> Option<usize> {
        Some(0)
    }

    fn endless(&self, rows: &Rows<'_>, classes: &[u32], count: usize, fitted: &Predictor) -> Option<Endless> {
        let is_penalised = self.l1 > 0.0 || self.l2 > 0.0;
        let sums = fitted.linear().filter(|_| !is_penalised)?;
        Endless::of_classes(rows, classes, count, sums)
    }

    fn placed(&self, names: &Names<'_>) -> Result<Option<Box<dyn Classifier>>, TrainError> {
        let placed = self.class_weights.placed("logisticRegression", names)?;
        Ok(placed
            .map(|class_weights| Box::new(Self { class_weights, ..self.clone() }) as Box<dyn Classifier>))
    }
}

/// Checks that a classifier by weighted sums has no more weights than can be worked with.
pub(super) fn check_weights(features: usize, classes: usize) -> Result<(), TrainError> {
    if features.saturating_mul(classes) <= MAX_WEIGHTS {
        return Ok(());
    }
    Err(TrainError::Data(format!(
        "{features} features for {classes} classes make more than {MAX_WEIGHTS} weights; name fewer features, or put rare \
         classes together in a prepare step"
    )))
}

/// Carries weights (features × outputs) and intercepts for scaled features back to the data's units.
/// Intercepts of several outputs matter by their differences alone; where `centred`, their sum is made 0.
fn unscaled(
    (weights, mut intercepts): (Array2<f64>, Array1<f64>),
    scaling: &Scaling,
    centred: bool,
) -> LinearPredictor {
    let mut weights = weights.reversed_axes().as_standard_layout().into_owned();
    for (mut row, intercept) in weights.axis_iter_mut(Axis(0)).zip(&mut intercepts) {
        for (weight, (deviation, mean)) in row.iter_mut().zip(scaling.deviations.iter().zip(&scaling.means)) {
            *weight /= deviation;
            *intercept -= *weight * mean;
        }
    }
    if centred && intercepts.len() > 1 {
        let mean = intercepts.sum() / intercepts.len() as f64;
        intercepts -= mean;
    }
    LinearPredictor::new(weights, intercepts)
}
