//! The minimum of a sum of squares with an L1 and an L2 penalty, one weight after the other.
//!
//! Features that are nearly alike make a descent by coordinates crawl. So the weights that are not 0 are now and then moved
//! towards their joint minimum by Newton's method, which reaches it in one step if no weight changes its sign. Must not know of
//! rows: it works on their triangular factor.

use linfa_linalg::cholesky::CholeskyInplace;
use linfa_linalg::triangular::{SolveTriangularInplace, UPLO};
use ndarray::{Array1, Array2, Axis};

use super::factored::Factored;
use super::vector::{add, dot};

/// After how many passes Newton's method is tried.
const NEWTON_AFTER: usize = 10;

/// Up to this many weights that are not 0, Newton's method is tried: its cost grows with the cube.
const NEWTON_WEIGHTS: usize = 512;

/// What Newton's method adds to the diagonal, relative to it: columns that are sums of others leave directions without curvature.
const RIDGE: f64 = 1e-10;

/// Weights for scaled features and target, on their way to the minimum.
pub(super) struct Descent {
    pub(super) weights: Vec<f64>,
    /// The factor's columns down to the diagonal; what is below is 0.
    columns: Vec<Vec<f64>>,
    /// Each column's sum of squares.
    squares: Vec<f64>,
    /// What the weights leave of the target's column.
    residuals: Vec<f64>,
    /// Each weight's penalties, at the scale of sums over rows.
    l1: Vec<f64>,
    l2: Vec<f64>,
    /// The length of the target's column, if all of it were left.
    length: f64,
}

impl Descent {
    /// Begins at weights of 0. The penalties are those of weights in the data's own units, over the mean of rows.
    pub(super) fn new(factored: &Factored, l1: f64, l2: f64) -> Self {
        let width = factored.scaling.deviations.len();
        let column = |column: usize| (0..=column).map(|row| factored.triangle.entry(row, column)).collect();
        let columns: Vec<Vec<f64>> = (0..width).map(column).collect();
        let rows = factored.rows as f64;
        let deviations = || factored.scaling.deviations.iter();
        Self {
            squares: columns.iter().map(|column| dot(column, column)).collect(),
            columns,
            residuals: (0..width).map(|row| factored.triangle.entry(row, width)).collect(),
            weights: vec![0.0; width],
            l1: deviations().map(|deviation| rows * l1 / (deviation * factored.target.deviation)).collect(),
            l2: deviations().map(|deviation| rows * l2 / (deviation * deviation)).collect(),
            length: rows.sqrt(),
        }
    }

    /// Begins at these weights, which leave these residuals of a target, by the columns of a triangular factor down to the diagonal
    /// and each weight's L1 penalty.
    pub(super) fn begin(
        columns: Vec<Vec<f64>>,
        weights: Vec<f64>,
        residuals: Vec<f64>,
        l1: Vec<f64>,
    ) -> Self {
        let squares = columns.iter().map(|column| dot(column, column)).collect();
        Self { weights, columns, squares, residuals, l2: vec![0.0; l1.len()], l1, length: 1.0 }
    }

    /// Passes over the weights until a pass moves the predictions by at most this share of the target's spread. Gives the share
    /// of the last pass.
    pub(super) fn run(&mut self, passes: usize, converged: f64) -> f64 {
        let mut moved = f64::INFINITY;
        for pass in 1..=passes {
            moved = self.pass() / self.length;
            if moved <= converged || moved.is_nan() {
                break;
            }
            if pass.is_multiple_of(NEWTON_AFTER) {
                self.newton();
            }
        }
        moved
    }

    /// Sets each weight to the best with the others as they are. Gives the length of the largest change of the predictions.
    fn pass(&mut self) -> f64 {
        let mut largest = 0.0_f64;
        let penalties = self.l1.iter().zip(&self.l2);
        let columns = self.columns.iter().zip(&self.squares).zip(penalties);
        for (((column, squares), (l1, l2)), weight) in columns.zip(&mut self.weights) {
            if *squares == 0.0 {
                continue;
            }
            let Some(residuals) = self.residuals.get_mut(..column.len()) else { continue };
            let pull = dot(column, residuals) + squares * *weight;
            let best = pull.signum() * (pull.abs() - l1).max(0.0) / (squares + l2);
            let change = best - *weight;
            if change != 0.0 {
                add(residuals, -change, column);
                *weight = best;
                largest = largest.max(change.abs() * squares.sqrt());
            }
        }
        largest
    }

    /// Moves the weights that are not 0 to their joint minimum, or towards it until one of them is 0.
    fn newton(&mut self) {
        let all = self.columns.iter().zip(&self.weights).zip(self.l1.iter().zip(&self.l2));
        let active: Vec<Active<'_>> = all
            .enumerate()
            .filter(|(_, ((_, weight), _))| **weight != 0.0)
            .map(|(place, ((column, weight), (l1, l2)))| Active {
                place,
                column,
                weight: *weight,
                l1: *l1,
                l2: *l2,
            })
            .collect();
        if active.is_empty() || active.len() > NEWTON_WEIGHTS {
            return;
        }
        let Some(step) = newton_step(&active, &self.residuals) else { return };
        let until_zero = |(active, change): (&Active<'_>, &f64)| -active.weight / change;
        let reach = active.iter().zip(&step).map(until_zero).filter(|reach| *reach > 0.0).fold(1.0, f64::min);
        let (mut weights, mut residuals) = (self.weights.clone(), self.residuals.clone());
        for (active, change) in active.iter().zip(&step) {
            let is_zero = until_zero((active, change)) == reach;
            let moved = if is_zero { 0.0 } else { active.weight + reach * change };
            if let (Some(weight), Some(residuals)) =
                (weights.get_mut(active.place), residuals.get_mut(..active.column.len()))
            {
                *weight = moved;
                add(residuals, active.weight - moved, active.column);
            }
        }
        // Written so that what is not a number is not taken.
        if self.loss(&weights, &residuals) <= self.loss(&self.weights, &self.residuals) {
            (self.weights, self.residuals) = (weights, residuals);
        }
    }

    fn loss(&self, weights: &[f64], residuals: &[f64]) -> f64 {
        let penalties = weights.iter().zip(self.l1.iter().zip(&self.l2));
        let penalty: f64 =
            penalties.map(|(weight, (l1, l2))| l1 * weight.abs() + 0.5 * l2 * weight * weight).sum();
        0.5 * dot(residuals, residuals) + penalty
    }
}

/// A weight that is not 0, with its column and its penalties.
struct Active<'a> {
    place: usize,
    column: &'a [f64],
    weight: f64,
    l1: f64,
    l2: f64,
}

/// By how much the weights are to change for their joint minimum; none where rounding leaves none.
fn newton_step(active: &[Active<'_>], residuals: &[f64]) -> Option<Vec<f64>> {
    // Below the shorter column's end, one of the two is 0.
    let product = |a: &[f64], b: &[f64]| {
        let height = a.len().min(b.len());
        dot(a.get(..height).unwrap_or_default(), b.get(..height).unwrap_or_default())
    };
    let mut curvature = Array2::zeros((active.len(), active.len()));
    for (mut row, left) in curvature.rows_mut().into_iter().zip(active) {
        for (entry, right) in row.iter_mut().zip(active) {
            *entry = product(left.column, right.column);
            if left.place == right.place {
                *entry += left.l2 + *entry * RIDGE;
            }
        }
    }
    let slope = |active: &Active<'_>| {
        product(active.column, residuals) - active.l1 * active.weight.signum() - active.l2 * active.weight
    };
    let slopes: Array1<f64> = active.iter().map(slope).collect();
    let factor = curvature.cholesky_into().ok()?;
    let mut step = slopes.insert_axis(Axis(1));
    factor.solve_triangular_inplace(&mut step, UPLO::Lower).ok()?;
    factor.t().solve_triangular_inplace(&mut step, UPLO::Upper).ok()?;
    Some(step.into_iter().collect())
}
