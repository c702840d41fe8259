//! Linear regression by least squares, ordinary or with an L2 penalty.
//!
//! What is minimised is scikit-learn's: the sum of squared errors plus alpha times the sum of the squared weights, intercept
//! free. Where columns are sums of others and alpha is 0, many weights are equally good, and the shortest are taken, in
//! the data's own units, as scikit-learn does.

use linfa_linalg::qr::QRInto;
use linfa_linalg::svd::SVDInto;
use linfa_linalg::triangular::{SolveTriangularInplace, UPLO};
use mlpipeline_crds::{LinearRegression, Ridge};
use ndarray::{Array1, Array2, Axis};

use super::error::TrainError;
use super::factored::Factored;
use super::learner::{Fitted, Regressor};
use super::matrix::Rows;
use super::scaling::Scaling;
use super::triangle::Triangle;

/// Least squares with checked parameters.
#[derive(Clone, Debug)]
pub struct LeastSquares {
    alpha: f64,
    fit_intercept: bool,
}

impl LeastSquares {
    /// Least squares with these parameters, which are within their bounds.
    #[must_use]
    pub fn new(parameters: &LinearRegression) -> Self {
        Self {
            alpha: parameters.alpha.unwrap_or(LinearRegression::DEFAULT_ALPHA),
            fit_intercept: parameters.fit_intercept.unwrap_or(LinearRegression::DEFAULT_FIT_INTERCEPT),
        }
    }

    /// Ridge regression with these parameters, which are within their bounds.
    #[must_use]
    pub fn ridge(parameters: &Ridge) -> Self {
        let alpha = parameters.alpha.unwrap_or(Ridge::DEFAULT_ALPHA);
        Self::new(&LinearRegression { alpha: Some(alpha), fit_intercept: parameters.fit_intercept })
    }
}

impl Regressor for LeastSquares {
    fn fit(&self, rows: &Rows<'_>, numbers: &[f64]) -> Result<Fitted, TrainError> {
        let mut factored = Factored::new(rows, numbers, self.fit_intercept);
        if self.alpha > 0.0 {
            factored.triangle.absorb(&mut penalty_rows(self.alpha, &factored.scaling));
        }
        let sizes =
            if self.alpha > 0.0 { sizes(&factored.triangle, rows.width()) } else { vec![1.0; rows.width()] };
        let (mut weights, mut null_space) = solve(&factored.triangle, &sizes, rows.len())?;
        for (weight, size) in weights.iter_mut().zip(&sizes) {
            *weight /= size;
        }
        if self.alpha > 0.0 {
            // With a penalty no two weights are equally good.
            null_space = None;
        }
        for (weight, deviation) in weights.iter_mut().zip(&factored.scaling.deviations) {
            *weight /= deviation;
        }
        let warning = null_space.as_ref().map(|null_space| {
            format!(
                "{} of the {} features add nothing to the others (they are constant, or sums of others): of the \
                 equally good weights, the shortest were taken",
                null_space.ncols(),
                rows.width()
            )
        });
        if let Some(null_space) = null_space {
            shorten(&mut weights, null_space, &factored.scaling)?;
        }
        Ok(Fitted { predictor: factored.predictor(weights).into(), warning })
    }

    fn row_bytes(&self, _width: usize) -> Option<usize> {
        Some(0)
    }
}

/// The penalty as further rows: a weight of a scaled feature costs alpha over the feature's squared deviation.
fn penalty_rows(alpha: f64, scaling: &Scaling) -> Vec<f64> {
    let width = scaling.deviations.len();
    let mut block = vec![0.0; width * (width + 1)];
    for (entry, deviation) in block.iter_mut().step_by(width + 1).zip(&scaling.deviations) {
        *entry = alpha.sqrt() / deviation;
    }
    block
}

/// How large the columns of the triangle are. With a penalty, those of features that hardly vary are many times larger than others, whose
/// singular values would look negligible beside them.
fn sizes(triangle: &Triangle, width: usize) -> Vec<f64> {
    let size = |column| (0..=column).map(|row| triangle.entry(row, column)).fold(0.0, f64::hypot);
    (0..width).map(size).map(|size| if size > 0.0 && size.is_finite() { size } else { 1.0 }).collect()
}

/// The shortest solution for the features, divided by their sizes too, and the directions in which the weights are free, if there are any.
fn solve(
    triangle: &Triangle,
    sizes: &[f64],
    rows: usize,
) -> Result<(Array1<f64>, Option<Array2<f64>>), TrainError> {
    let width = sizes.len();
    let matrix = Array2::from_shape_fn((width, width), |(row, column)| {
        triangle.entry(row, column) / sizes.get(column).copied().unwrap_or(1.0)
    });
    let goal = Array1::from_shape_fn(width, |row| triangle.entry(row, width));
    let precision = f64::EPSILON * rows.max(width) as f64;
    if let Some(weights) = solve_full_rank(&matrix, &goal, precision) {
        return Ok((weights, None));
    }
    let failed = || TrainError::Numbers("the features' singular values cannot be found".to_owned());
    // The search for them has no end where there is a number that is none.
    if matrix.iter().any(|entry| !entry.is_finite()) {
        return Err(failed());
    }
    let (Some(left), values, Some(right)) = matrix.svd_into(true, true).map_err(|_| failed())? else {
        return Err(failed());
    };
    let largest = values.iter().copied().fold(0.0, f64::max);
    let negligible = largest * precision;
    let mut shares = left.t().dot(&goal);
    for (share, value) in shares.iter_mut().zip(&values) {
        *share = if *value > negligible { *share / value } else { 0.0 };
    }
    let weights = right.t().dot(&shares);
    let free: Vec<usize> = values
        .iter()
        .enumerate()
        .filter(|(_, value)| **value <= negligible)
        .map(|(index, _)| index)
        .collect();
    let null_space = (!free.is_empty()).then(|| right.select(Axis(0), &free).reversed_axes());
    Ok((weights, null_space))
}

/// The only solution, where the inverse's size shows that no singular value can be negligible: many times faster than the
/// singular values themselves.
fn solve_full_rank(matrix: &Array2<f64>, goal: &Array1<f64>, precision: f64) -> Option<Array1<f64>> {
    if matrix.diag().iter().any(|entry| *entry == 0.0) {
        return None;
    }
    let inverse = matrix.solve_triangular_into(Array2::eye(goal.len()), UPLO::Upper).ok()?;
    let norm = |matrix: &Array2<f64>| matrix.iter().map(|entry| entry * entry).sum::<f64>().sqrt();
    // Written so that an inverse that overflowed, or is not a number, does not pass.
    (norm(matrix) * norm(&inverse) < precision.recip()).then(|| inverse.dot(goal))
}

/// Takes off the weights what lies along the free directions, which are given for scaled features.
fn shorten(
    weights: &mut Array1<f64>,
    mut null_space: Array2<f64>,
    scaling: &Scaling,
) -> Result<(), TrainError> {
    for (mut row, deviation) in null_space.rows_mut().into_iter().zip(&scaling.deviations) {
        row /= *deviation;
    }
    let failed = |_| TrainError::Numbers("the collinear features cannot be distinguished".to_owned());
    let basis = null_space.as_standard_layout().into_owned().qr_into().map_err(failed)?.into_decomp().0;
    let along = basis.t().dot(weights);
    *weights -= &basis.dot(&along);
    Ok(())
}
