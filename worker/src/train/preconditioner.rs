//! Coordinates in which the logistic loss is easy to minimise.
//!
//! The second derivatives of the logistic loss are bounded by a fixed matrix: D. Böhning, "Multinomial logistic regression
//! algorithm" (Ann. Inst. Statist. Math. 44, 1992): a half (a quarter for two classes) of the features' second moments, plus
//! the penalty. With the bound's Cholesky factor taken off, columns of different size or nearly alike slow the optimiser down
//! no more. The bound only shapes the way, never the result, so a sample of rows is enough for it.

use linfa_linalg::cholesky::CholeskyInplace;
use linfa_linalg::triangular::{SolveTriangularInplace, UPLO};
use ndarray::{Array2, ArrayViewMut2, linalg::general_mat_mul};

use super::matrix::{BLOCK_ROWS, Rows, blocks, top};
use super::scaling::Scaling;

/// Rows that the moments are taken of.
const SAMPLE_ROWS: usize = 8192;

/// Up to this many features the whole matrix is factored; beyond, whose cost grows with the cube, only its diagonal is used.
const FULL_FEATURES: usize = 256;

/// What is added to the diagonal, relative to it: columns that are exact sums of others leave nothing to factor.
const RIDGE: f64 = 1e-9;

/// A change of coordinates for weights, features × outputs.
#[derive(Debug)]
pub(super) enum Preconditioner {
    /// The bound's lower Cholesky factor.
    Full(Array2<f64>),
    /// The root of the bound's diagonal.
    Diagonal(Vec<f64>),
}

impl Preconditioner {
    /// From the scaled features of the rows, the bound's share of their moments, and each feature's penalty.
    pub(super) fn new(rows: &Rows<'_>, scaling: &Scaling, share: f64, penalties: &[f64]) -> Self {
        let diagonal = || Self::Diagonal(penalties.iter().map(|penalty| (share + penalty).sqrt()).collect());
        if rows.width() > FULL_FEATURES {
            return diagonal();
        }
        let mut bound = moments(rows, scaling);
        bound *= share;
        for (entry, penalty) in bound.diag_mut().iter_mut().zip(penalties) {
            *entry += penalty + (*entry + share + penalty) * RIDGE;
        }
        match bound.cholesky_into() {
            Ok(factor) => Self::Full(factor),
            // Only rounding can make it fail, and then the diagonal is still a sound bound's shape.
            Err(_) => diagonal(),
        }
    }

    /// Coordinates that are the weights of so many scaled features.
    pub(super) fn none(width: usize) -> Self {
        Self::Diagonal(vec![1.0; width])
    }

    /// From the optimiser's coordinates to weights of scaled features: the inverse of the factor's transpose.
    pub(super) fn to_weights(&self, coordinates: &mut ArrayViewMut2<'_, f64>) {
        match self {
            // Shapes fit, and no diagonal entry is 0: nothing can fail.
            Self::Full(factor) => {
                let _ = factor.t().solve_triangular_inplace(coordinates, UPLO::Upper);
            }
            Self::Diagonal(roots) => divide_rows(coordinates, roots),
        }
    }

    /// From the gradient by weights to the gradient by coordinates: the inverse of the factor.
    pub(super) fn to_gradient(&self, gradient: &mut ArrayViewMut2<'_, f64>) {
        match self {
            Self::Full(factor) => {
                let _ = factor.solve_triangular_inplace(gradient, UPLO::Lower);
            }
            Self::Diagonal(roots) => divide_rows(gradient, roots),
        }
    }
}

fn divide_rows(matrix: &mut ArrayViewMut2<'_, f64>, by: &[f64]) {
    for (mut row, by) in matrix.rows_mut().into_iter().zip(by) {
        row /= *by;
    }
}

/// The mean products of each two scaled features, over evenly spread rows.
fn moments(rows: &Rows<'_>, scaling: &Scaling) -> Array2<f64> {
    let width = rows.width();
    let step = rows.len().div_ceil(SAMPLE_ROWS).max(1);
    let sample: Vec<u32> = rows.numbers().iter().copied().step_by(step).collect();
    let sample = rows.select(&sample);
    let mut moments = Array2::zeros((width, width));
    let mut block = Array2::zeros((BLOCK_ROWS, width));
    for range in blocks(0..sample.len()) {
        let mut part = top(&mut block, range.len());
        for ((_, row), mut scaled) in sample.range(range).zip(part.rows_mut()) {
            if let Some(scaled) = scaled.as_slice_mut() {
                scaling.apply(&row, scaled);
            }
        }
        general_mat_mul(1.0, &part.t(), &part, 1.0, &mut moments);
    }
    moments /= sample.len().max(1) as f64;
    moments
}
