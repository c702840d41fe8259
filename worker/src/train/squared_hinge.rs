//! Minimising the squared hinge loss of one class against others, with an L2 penalty.
//!
//! The loss is a different quadratic wherever other rows lack something, so Newton's method with an exact line search ends at
//! the minimum after some ten steps: S. S. Keerthi and D. DeCoste, "A modified finite Newton method for fast solution of large
//! scale linear SVMs" (JMLR 6, 2005). Must not know of classes or of the data's units.

use std::ops::Range;

use linfa_linalg::cholesky::SolveCInplace;
use ndarray::{Array1, Array2, Axis, linalg::general_mat_mul};

use super::error::TrainError;
use super::matrix::{BLOCK_ROWS, Rows, top};
use super::parallel::over_shards;
use super::row::Row;
use super::vector::{add, dot};

/// How much of the loss the next step can still win when the minimum is reached: the weights have half as many digits.
const CONVERGED: f64 = 1e-18;

/// The share of the loss that a step must win, or it may be rounding.
const NOISE: f64 = 1e-13;

/// So many steps in a row that win nothing are at the minimum, as near as rounding lets them.
const STALLS: usize = 5;

/// The share of the loss still to be won above which stopping early is worth a warning.
const WORTH_A_WARNING: f64 = 1e-10;

/// Up to this width the second derivatives are factored; beyond, they are only multiplied with, by conjugate gradients.
const FACTORED_WIDTH: usize = 1024;

/// What is added to the second derivatives, whose diagonal is about 1, where rounding keeps them from being factored.
const RIDGES: [f64; 5] = [0.0, 1e-14, 1e-11, 1e-8, 1e-5];

/// The share of the gradient that conjugate gradients may leave: more steps for one direction are wasted on the wrong quadratic.
const RESIDUAL: f64 = 0.1;

/// The most products for one direction by conjugate gradients.
const PRODUCTS: usize = 1000;

/// The share of the slope that a line search may leave.
const FLAT: f64 = 1e-6;

/// The most evaluations on one line.
const LINE_EVALUATIONS: usize = 50;

/// The loss of one class against others: half of the sum of the squares of what each row lacks, and the penalty.
///
/// A row is scaled, has a 1 for the intercept, and is multiplied by its root; then what it lacks is the root's size minus its
/// weighted sum, where that is more than 0.
pub(super) struct SquaredHinge<'a> {
    pub(super) rows: Rows<'a>,
    /// The root of twice a row's cost; less than 0 for rows of other classes.
    pub(super) roots: Vec<f64>,
    /// What a row's features and, last, its 1 are multiplied by.
    pub(super) scales: &'a [f64],
}

impl SquaredHinge<'_> {
    /// The minimum, by coordinates that times the scales are the weights and, last, the intercept; and whether it was reached.
    pub(super) fn minimise(&self, iterations: usize) -> Result<(Vec<f64>, bool), TrainError> {
        let mut point = vec![0.0; self.scales.len()];
        let mut lacks: Vec<f64> = self.roots.iter().map(|root| root.abs()).collect();
        let (mut least, mut stalls) = (f64::INFINITY, 0);
        let penalties: Vec<f64> = self.scales.iter().map(|scale| scale * scale).collect();
        for iteration in 0..=iterations {
            let held: Vec<f64> = lacks.iter().map(|lack| lack.max(0.0)).collect();
            let mut gradient = self.transposed(&held);
            let penalty = |a: &[f64], b: &[f64]| -> f64 {
                a.iter().zip(b).zip(&penalties).map(|((a, b), penalty)| a * b * penalty).sum()
            };
            for ((entry, coordinate), penalty) in gradient.iter_mut().zip(&point).zip(&penalties) {
                *entry = coordinate * penalty - *entry;
            }
            let direction = self.direction(&gradient, &held, &penalties)?;
            let slope = dot(&gradient, &direction);
            let loss = 0.5 * (dot(&held, &held) + penalty(&point, &point));
            if !(slope.is_finite() && loss.is_finite()) {
                return Err(TrainError::Numbers(
                    "the margins of a linear support vector machine are beyond what can be computed with"
                        .to_owned(),
                ));
            }
            let is_close = -slope <= WORTH_A_WARNING * loss;
            stalls = if loss < least * (1.0 - NOISE) { 0 } else { stalls + 1 };
            least = least.min(loss);
            let is_stalled = stalls >= STALLS;
            if -slope <= CONVERGED * loss || is_stalled || iteration == iterations {
                return Ok((point, is_close || is_stalled));
            }
            let moves = self.times(&direction);
            let along = (penalty(&point, &direction), penalty(&direction, &direction));
            let length = line_search(&lacks, &moves, along);
            add(&mut point, length, &direction);
            add(&mut lacks, -length, &moves);
        }
        Ok((point, false))
    }

    /// Newton's direction: minus the inverse of the second derivatives, times the gradient.
    fn direction(&self, gradient: &[f64], held: &[f64], penalties: &[f64]) -> Result<Vec<f64>, TrainError> {
        if gradient.len() > FACTORED_WIDTH {
            return Ok(self.conjugate_gradients(gradient, held, penalties));
        }
        let hessian = self.hessian(held, penalties);
        for ridge in RIDGES {
            let mut ridged = hessian.clone();
            ridged.diag_mut().iter_mut().for_each(|entry| *entry += ridge);
            let goal: Array1<f64> = gradient.iter().map(|entry| -entry).collect();
            if let Ok(direction) = ridged.solvec_into(goal.insert_axis(Axis(1))) {
                return Ok(direction.into_iter().collect());
            }
        }
        Err(TrainError::Numbers(
            "the second derivatives of the squared hinge loss cannot be factored".to_owned(),
        ))
    }

    /// The second derivatives by each two coordinates: the products of the rows that lack something, and the penalties.
    fn hessian(&self, held: &[f64], penalties: &[f64]) -> Array2<f64> {
        let width = penalties.len();
        let parts = over_shards(self.rows.len(), |range| {
            let mut products = Array2::zeros((width, width));
            let mut block = Array2::zeros((BLOCK_ROWS, width));
            let active: Vec<_> = self.active(range, held).collect();
            for active in active.chunks(BLOCK_ROWS) {
                let mut block = top(&mut block, active.len());
                for ((row, root, _), mut scaled) in active.iter().zip(block.rows_mut()) {
                    let row = row.iter().chain([&1.0]).zip(self.scales);
                    scaled.iter_mut().zip(row).for_each(|(to, (value, scale))| *to = value * scale * root);
                }
                general_mat_mul(1.0, &block.t(), &block, 1.0, &mut products);
            }
            products
        });
        let mut hessian = Array2::from_diag(&Array1::from_vec(penalties.to_vec()));
        parts.iter().for_each(|part| hessian += part);
        hessian
    }

    /// Newton's direction to a share of the gradient, by products with the second derivatives alone.
    fn conjugate_gradients(&self, gradient: &[f64], held: &[f64], penalties: &[f64]) -> Vec<f64> {
        let mut found = vec![0.0; gradient.len()];
        let mut residual: Vec<f64> = gradient.iter().map(|entry| -entry).collect();
        let mut along = residual.clone();
        let mut squares = dot(&residual, &residual);
        let goal = squares * RESIDUAL * RESIDUAL;
        for _ in 0..PRODUCTS {
            if squares <= goal {
                break;
            }
            let mut moves = self.times(&along);
            for (moved, held) in moves.iter_mut().zip(held) {
                *moved = if *held > 0.0 { *moved } else { 0.0 };
            }
            let mut product = self.transposed(&moves);
            for ((entry, along), penalty) in product.iter_mut().zip(&along).zip(penalties) {
                *entry += along * penalty;
            }
            let length = squares / dot(&along, &product);
            add(&mut found, length, &along);
            add(&mut residual, -length, &product);
            let next = dot(&residual, &residual);
            along
                .iter_mut()
                .zip(&residual)
                .for_each(|(along, entry)| *along = entry + next / squares * *along);
            squares = next;
        }
        found
    }

    /// The weighted sum of each row, by these weights of its scaled form.
    fn times(&self, weights: &[f64]) -> Vec<f64> {
        let scaled: Vec<f64> =
            weights.iter().zip(self.scales).map(|(weight, scale)| weight * scale).collect();
        let Some((constant, scaled)) = scaled.split_last() else { return Vec::new() };
        let parts = over_shards(self.rows.len(), |range| {
            let roots = self.roots.get(range.clone()).unwrap_or_default();
            let rows = self.rows.range(range).zip(roots);
            rows.map(|((_, row), root)| root * (dot(&row, scaled) + constant)).collect::<Vec<_>>()
        });
        parts.concat()
    }

    /// The sum of the scaled rows, each times its share.
    fn transposed(&self, shares: &[f64]) -> Vec<f64> {
        let width = self.scales.len();
        let parts = over_shards(self.rows.len(), |range| {
            let mut sum = vec![0.0; width];
            for (row, root, share) in self.active(range, shares) {
                add(&mut sum, root * share, &row);
                if let Some(last) = sum.last_mut() {
                    *last += root * share;
                }
            }
            sum
        });
        let mut sum = vec![0.0; width];
        parts.iter().for_each(|part| add(&mut sum, 1.0, part));
        sum.iter_mut().zip(self.scales).for_each(|(entry, scale)| *entry *= scale);
        sum
    }

    /// The rows of a range with a share, each with its root.
    fn active(&self, range: Range<usize>, shares: &[f64]) -> impl Iterator<Item = (Row<'_>, f64, f64)> {
        let roots = self.roots.get(range.clone()).unwrap_or_default();
        let shares = shares.get(range.clone()).unwrap_or_default();
        let rows = self.rows.range(range).zip(roots.iter().zip(shares));
        rows.filter(|(_, (_, share))| **share != 0.0).map(|((_, row), (root, share))| (row, *root, *share))
    }
}

/// The length of the step to the minimum along a direction, in which rows lack less by `moves`, and the slope of the penalty
/// is `along.0` and grows by `along.1`. The slope of the whole grows, in straight pieces: Newton's method within a bracket.
fn line_search(lacks: &[f64], moves: &[f64], along: (f64, f64)) -> f64 {
    let evaluate = |length: f64| {
        let (mut slope, mut growth) = (along.0 + length * along.1, along.1);
        for (lack, moved) in lacks.iter().zip(moves) {
            let left = lack - length * moved;
            if left > 0.0 {
                slope -= moved * left;
                growth += moved * moved;
            }
        }
        (slope, growth)
    };
    let flat = FLAT * evaluate(0.0).0.abs();
    let (mut low, mut high, mut length) = (0.0, f64::INFINITY, 1.0);
    for _ in 0..LINE_EVALUATIONS {
        let (slope, growth) = evaluate(length);
        if slope.abs() <= flat {
            break;
        }
        if slope > 0.0 {
            high = length
        } else {
            low = length
        }
        let newton = length - slope / growth;
        length = if newton > low && newton < high {
            newton
        } else if high.is_finite() {
            0.5 * (low + high)
        } else {
            2.0 * length
        };
    }
    length
}

#[cfg(test)]
mod tests {
    use super::super::matrix::Matrix;
    use super::*;

    #[test]
    fn conjugate_gradients_find_the_direction_that_factors_find() {
        let mut matrix = Matrix::new(4);
        (0..30).for_each(|row| matrix.extend(&[1, 2, 3, 5].map(|place| f64::from(row * place).sin())));
        let numbers: Vec<u32> = (0..30).collect();
        let roots: Vec<f64> = (0..30).map(|row| if row % 3 == 0 { 1.0 } else { -1.5 }).collect();
        let hinge =
            SquaredHinge { rows: Rows::new(&matrix, &numbers), roots, scales: &[0.1, 0.2, 0.1, 0.3, 0.2] };
        let held: Vec<f64> = (0..30).map(|row| f64::from(row % 4)).collect();
        let (gradient, penalties) = ([1.0, -2.0, 0.5, 0.0, 3.0], [0.01, 0.04, 0.01, 0.09, 0.04]);
        let factored = hinge.direction(&gradient, &held, &penalties).expect("a direction");
        let found = hinge.conjugate_gradients(&gradient, &held, &penalties);
        let hessian = hinge.hessian(&held, &penalties);
        let left = |direction: Vec<f64>| {
            let product = hessian.dot(&Array1::from_vec(direction));
            product
                .iter()
                .zip(&gradient)
                .map(|(product, entry)| (product + entry).powi(2))
                .sum::<f64>()
                .sqrt()
        };
        let size = dot(&gradient, &gradient).sqrt();
        assert!(left(factored) <= 1e-12 * size);
        assert!(left(found) <= 1.001 * RESIDUAL * size);
    }
}
