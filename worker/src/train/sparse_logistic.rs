//! Minimising the logistic loss with an L1 penalty, which sets weights of little use to 0.
//!
//! Newton's method with the penalty left as it is: each step minimises the loss's second-order approximation plus the penalty by
//! coordinate descent, and is shortened until the whole falls: J. D. Lee, Y. Sun and M. A. Saunders, "Proximal Newton-type
//! methods for minimizing composite functions" (SIAM J. Optim. 24, 2014). With many weights, a step moves those that are
//! furthest from their optimum. Must not know of rows.

use linfa_linalg::cholesky::CholeskyInplace;
use linfa_linalg::triangular::{SolveTriangularInplace, UPLO};
use ndarray::{Array1, Array2, Axis};

use super::class_loss::ClassLoss;
use super::coordinate_descent::Descent;
use super::error::TrainError;
use super::lbfgs::{Minimum, Stop};

/// The most weights that one step moves: the second derivatives are by each two of them, for each of some threads.
const MOST_MOVED: usize = 512;

/// The most passes over the weights for one step.
const PASSES: usize = 1000;

/// The change of a weight, in units of the root of the loss, that ends the passes of a step.
const SETTLED: f64 = 1e-12;

/// What is added to the second derivatives' diagonal, relative to it, until they can be factored.
const RIDGES: [f64; 4] = [1e-12, 1e-9, 1e-6, 1e-3];

/// A step must win at least this share of what its direction promises.
const DECREASE: f64 = 1e-4;

/// By how much, relative to the value, rounding may move the loss.
const NOISE: f64 = 1e-14;

/// How often a step is halved.
const HALVINGS: usize = 30;

/// A point with the smooth loss and its gradient there.
struct Evaluated {
    point: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

/// Minimises the loss, which is in the coordinates of scaled features, plus `l1` times the sum of the absolute weights in the
/// data's units over the number of rows. The minimum's gradient is the largest distance of a slope from what the penalty allows.
///
/// # Errors
/// When the second derivatives are beyond what can be computed with.
pub(super) fn minimise_sparse(loss: &ClassLoss<'_>, l1: f64, stop: Stop) -> Result<Minimum, TrainError> {
    let penalties = loss.absolute_penalties(l1);
    let evaluate = |point: Vec<f64>| {
        let mut gradient = vec![0.0; point.len()];
        let value = loss.evaluate(&point, &mut gradient);
        Evaluated { point, value, gradient }
    };
    let mut now = evaluate(vec![0.0; loss.parameters()]);
    let mut iterations = 0;
    loop {
        let distances = distances(&now, &penalties);
        let furthest = distances.iter().copied().fold(0.0, f64::max);
        if !now.value.is_finite() || distances.iter().any(|distance| !distance.is_finite()) {
            let message = "the loss of a logistic regression is beyond what can be computed with";
            return Err(TrainError::Numbers(message.to_owned()));
        }
        if furthest <= stop.gradient || iterations >= stop.iterations {
            return Ok(Minimum { point: now.point, gradient: furthest, iterations });
        }
        let moved = chosen(&now, &distances);
        let step = step(loss, &now, &moved, &penalties)?;
        match line_search(&now, &moved, &step, &penalties, &evaluate) {
            Some(next) => now = next,
            // Rounding leaves no better point.
            None => return Ok(Minimum { point: now.point, gradient: furthest, iterations }),
        }
        iterations += 1;
    }
}

/// How far each slope is from what the penalty allows there.
fn distances(now: &Evaluated, penalties: &[f64]) -> Vec<f64> {
    let of = |((point, gradient), penalty): ((&f64, &f64), &f64)| {
        if *point == 0.0 {
            (gradient.abs() - penalty).max(0.0)
        } else {
            (gradient + penalty * point.signum()).abs()
        }
    };
    now.point.iter().zip(&now.gradient).zip(penalties).map(of).collect()
}

/// The places that the next step moves, in ascending order: those that are not 0 or should not be; the furthest of them when
/// they are many.
fn chosen(now: &Evaluated, distances: &[f64]) -> Vec<usize> {
    let mut moved: Vec<usize> = (0..distances.len())
        .filter(|place| {
            let at = |numbers: &[f64]| numbers.get(*place).copied().unwrap_or_default();
            at(distances) > 0.0 || at(&now.point) != 0.0
        })
        .collect();
    if moved.len() > MOST_MOVED {
        let distance = |place: &usize| distances.get(*place).copied().unwrap_or_default();
        moved.sort_by(|a, b| distance(b).total_cmp(&distance(a)).then(a.cmp(b)));
        moved.truncate(MOST_MOVED);
        moved.sort_unstable();
    }
    moved
}

/// Where the moved coordinates are best in the second-order approximation.
fn step(
    loss: &ClassLoss<'_>,
    now: &Evaluated,
    moved: &[usize],
    penalties: &[f64],
) -> Result<Vec<f64>, TrainError> {
    let pick = |numbers: &[f64]| -> Vec<f64> {
        moved.iter().map(|place| numbers.get(*place).copied().unwrap_or_default()).collect()
    };
    let curvature = loss.curvature(&now.point, moved);
    let beyond =
        || TrainError::Numbers("the second derivatives of the logistic loss cannot be factored".to_owned());
    let factor = RIDGES.iter().find_map(|ridge| {
        let mut ridged = curvature.clone();
        ridged.diag_mut().iter_mut().for_each(|entry| *entry += ridge * (1.0 + *entry));
        ridged.cholesky_into().ok()
    });
    let factor: Array2<f64> = factor.ok_or_else(beyond)?;
    // What is left of the target is minus the factor's inverse times the gradient.
    let mut left = Array1::from_vec(pick(&now.gradient)).insert_axis(Axis(1));
    factor.solve_triangular_inplace(&mut left, UPLO::Lower).map_err(|_| beyond())?;
    let left = left.iter().map(|entry| -entry).collect();
    let entry = |row: usize, column: usize| factor.get((column, row)).copied().unwrap_or_default();
    let column = |column: usize| (0..=column).map(|row| entry(row, column)).collect();
    let columns = (0..moved.len()).map(column).collect();
    let mut descent = Descent::begin(columns, pick(&now.point), left, pick(penalties));
    descent.run(PASSES, SETTLED);
    Ok(descent.weights)
}

/// The longest of ever shorter steps towards `goal` that lowers the loss and the penalty together enough.
fn line_search(
    now: &Evaluated,
    moved: &[usize],
    goal: &[f64],
    penalties: &[f64],
    evaluate: &impl Fn(Vec<f64>) -> Evaluated,
) -> Option<Evaluated> {
    let penalty = |point: &[f64]| -> f64 {
        point.iter().zip(penalties).map(|(coordinate, penalty)| penalty * coordinate.abs()).sum()
    };
    let old = now.value + penalty(&now.point);
    let towards = |length: f64| {
        let mut point = now.point.clone();
        for (place, goal) in moved.iter().zip(goal) {
            if let Some(coordinate) = point.get_mut(*place) {
                // At full length exactly there, so that what is to be 0 is 0.
                *coordinate = if length == 1.0 { *goal } else { *coordinate + length * (goal - *coordinate) };
            }
        }
        point
    };
    let whole = towards(1.0);
    let slope: f64 = whole
        .iter()
        .zip(&now.point)
        .zip(&now.gradient)
        .map(|((to, from), gradient)| (to - from) * gradient)
        .sum();
    let promised = slope + penalty(&whole) - penalty(&now.point);
    let mut length = 1.0;
    for _ in 0..HALVINGS {
        let next = evaluate(towards(length));
        let value = next.value + penalty(&next.point);
        if value <= old + DECREASE * length * promised + NOISE * old.abs() {
            // No more than rounding is won: this is the minimum.
            return (next.point != now.point).then_some(next);
        }
        length /= 2.0;
    }
    None
}
