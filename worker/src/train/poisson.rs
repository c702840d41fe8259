//! Poisson regression: numbers whose logarithm is a weighted sum, with an L2 penalty.
//!
//! What is minimised is scikit-learn's: half of the mean Poisson deviance, plus alpha / 2 times the sum of the squared weights,
//! intercept free. The expected counts are kept relative to the target's mean, so that its unit does not matter.

use mlpipeline_crds::{LinearRegression, PoissonRegression};
use ndarray::{Array1, Axis, linalg::general_mat_vec_mul};

use super::error::TrainError;
use super::lbfgs::{Stop, minimise};
use super::learner::{Fitted, Regressor};
use super::matrix::{BLOCK_ROWS, Rows, blocks, top};
use super::parallel::over_shards;
use super::preconditioner::Preconditioner;
use super::scaling::Scaling;
use super::separation::Endless;
use crate::model::{LinearPredictor, Predictor};

/// The slope at which the minimum is reached, where the mean loss is divided by the target's mean.
const CONVERGED: f64 = 1e-10;

/// The slope above which stopping early is worth a warning.
const WORTH_A_WARNING: f64 = 1e-5;

/// Poisson regression with checked parameters.
#[derive(Clone, Debug)]
pub struct Poisson {
    alpha: f64,
    fit_intercept: bool,
    iterations: usize,
}

impl Poisson {
    /// Poisson regression with these parameters, which are within their bounds.
    #[must_use]
    pub fn new(parameters: &PoissonRegression) -> Self {
        let iterations = parameters.max_iterations.unwrap_or(PoissonRegression::DEFAULT_MAX_ITERATIONS);
        Self {
            alpha: parameters.alpha.unwrap_or(PoissonRegression::DEFAULT_ALPHA),
            fit_intercept: parameters.fit_intercept.unwrap_or(LinearRegression::DEFAULT_FIT_INTERCEPT),
            iterations: usize::try_from(iterations).unwrap_or_default(),
        }
    }
}

impl Regressor for Poisson {
    fn fit(&self, rows: &Rows<'_>, numbers: &[f64]) -> Result<Fitted, TrainError> {
        let mean = mean_count(rows, numbers)?;
        let scaling = Scaling::measure(rows);
        let scaling = if self.fit_intercept { scaling } else { scaling.about_zero() };
        let penalties: Vec<f64> = scaling.deviations.iter().map(|d| self.alpha / (mean * d * d)).collect();
        let preconditioner = Preconditioner::new(rows, &scaling, 1.0, &penalties);
        let (scaling, fit_intercept) = (&scaling, self.fit_intercept);
        let loss = PoissonLoss { rows, numbers, mean, scaling, penalties, preconditioner, fit_intercept };
        let start = vec![0.0; rows.width() + usize::from(self.fit_intercept)];
        let stop = Stop { iterations: self.iterations, gradient: CONVERGED };
        let minimum = minimise(start, stop, |point, gradient| loss.evaluate(point, gradient));
        if !minimum.gradient.is_finite() {
            return Err(TrainError::Numbers(
                "the expected counts are beyond what can be computed with".to_owned(),
            ));
        }
        let warning = (minimum.gradient > WORTH_A_WARNING)
            .then(|| minimum.not_converged("Poisson regression", self.iterations, "maxIterations or alpha"));
        let (mut weights, mut intercept) = loss.weights(&minimum.point);
        for (weight, (deviation, mean)) in
            weights.iter_mut().zip(scaling.deviations.iter().zip(&scaling.means))
        {
            *weight /= deviation;
            intercept -= *weight * mean;
        }
        let predictor = LinearPredictor::new(weights.insert_axis(Axis(0)), Array1::from_elem(1, intercept));
        Ok(Fitted { predictor: predictor.with_log_link().into(), warning })
    }

    fn row_bytes(&self, _width: usize) -> Option<usize> {
        Some(0)
    }

    fn endless(&self, rows: &Rows<'_>, numbers: &[f64], fitted: &Predictor) -> Option<Endless> {
        let is_penalised = self.alpha > 0.0;
        let sums = fitted.linear().filter(|_| !is_penalised)?;
        Endless::of_counts(rows, numbers, self.fit_intercept, sums)
    }
}

/// The target's mean.
pub(super) fn mean_count(rows: &Rows<'_>, numbers: &[f64]) -> Result<f64, TrainError> {
    let mut sum = 0.0;
    for row in rows.numbers() {
        let number = numbers.get(*row as usize).copied().unwrap_or_default();
        if number < 0.0 {
            return Err(TrainError::Data(format!(
                "the target is {number} in row {}, and a Poisson regression predicts counts of 0 or more; leave such rows out in \
                 a prepare step, or use linearRegression",
                row + 1
            )));
        }
        sum += number / rows.len().max(1) as f64;
    }
    if sum > 0.0 && sum.is_finite() {
        return Ok(sum);
    }
    let message =
        format!("the mean of the target is {sum}, and a Poisson regression needs one of more than 0");
    Err(TrainError::Data(message))
}

/// The mean loss over the target's mean, as a function of the preconditioner's coordinates and, as the last, the intercept.
struct PoissonLoss<'a> {
    rows: &'a Rows<'a>,
    numbers: &'a [f64],
    mean: f64,
    scaling: &'a Scaling,
    /// The penalty of each weight's square, at the loss's scale.
    penalties: Vec<f64>,
    preconditioner: Preconditioner,
    fit_intercept: bool,
}

impl PoissonLoss<'_> {
    /// The weights of scaled features and the intercept that a point stands for.
    fn weights(&self, point: &[f64]) -> (Array1<f64>, f64) {
        let mut coordinates = point.iter().copied();
        let weights: Array1<f64> = coordinates.by_ref().take(self.rows.width()).collect();
        let mut weights = weights.insert_axis(Axis(1));
        self.preconditioner.to_weights(&mut weights.view_mut());
        let intercept = coordinates.next().map_or(0.0, |above| self.mean.ln() + above);
        (weights.index_axis_move(Axis(1), 0), intercept)
    }

    fn evaluate(&self, point: &[f64], gradient: &mut [f64]) -> f64 {
        let (weights, intercept) = self.weights(point);
        let parts = over_shards(self.rows.len(), |range| {
            let mut part = (0.0, Array1::zeros(weights.len()), 0.0);
            let mut features = ndarray::Array2::zeros((BLOCK_ROWS, weights.len()));
            for range in blocks(range) {
                let mut features = top(&mut features, range.len());
                for ((_, row), mut scaled) in self.rows.range(range.clone()).zip(features.rows_mut()) {
                    if let Some(scaled) = scaled.as_slice_mut() {
                        self.scaling.apply(&row, scaled);
                    }
                }
                let mut scores = features.dot(&weights);
                let numbers = self.rows.numbers().get(range).unwrap_or_default();
                for (score, number) in scores.iter_mut().zip(numbers) {
                    let number = self.numbers.get(*number as usize).copied().unwrap_or_default() / self.mean;
                    let logarithm = *score + intercept;
                    let expected = (logarithm - self.mean.ln()).exp();
                    part.0 += expected - number * logarithm;
                    *score = expected - number;
                    part.2 += *score;
                }
                general_mat_vec_mul(1.0, &features.t(), &scores, 1.0, &mut part.1);
            }
            part
        });
        let count = self.rows.len().max(1) as f64;
        let (mut loss, mut slopes, mut of_intercept) = (0.0, Array1::<f64>::zeros(weights.len()), 0.0);
        for (part_loss, part, part_of_intercept) in parts {
            loss += part_loss / count;
            slopes += &(part / count);
            of_intercept += part_of_intercept / count;
        }
        for ((slope, weight), penalty) in slopes.iter_mut().zip(&weights).zip(&self.penalties) {
            loss += 0.5 * penalty * weight * weight;
            *slope += penalty * weight;
        }
        let mut slopes = slopes.insert_axis(Axis(1));
        self.preconditioner.to_gradient(&mut slopes.view_mut());
        let of_intercept = self.fit_intercept.then_some(of_intercept);
        gradient.iter_mut().zip(slopes.iter().copied().chain(of_intercept)).for_each(|(to, of)| *to = of);
        loss
    }
}
