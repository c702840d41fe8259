//! Rows and their numbers as a small triangle: all that an algorithm of squared errors needs of them.
//!
//! Owns the common scale of features and target, and the way back from weights at that scale to a predictor. The rows are read
//! once, by many threads, and as the triangle is the rows' own factor, no digits are lost as in sums of products.

use ndarray::{Array1, ArrayView1, Axis};

use super::matrix::{BLOCK_ROWS, Rows, blocks};
use super::parallel::over_shards;
use super::scaling::Scaling;
use super::triangle::Triangle;
use crate::model::LinearPredictor;

/// The triangular factor of scaled features, with the scaled target as a last column.
pub(super) struct Factored {
    pub(super) triangle: Triangle,
    pub(super) scaling: Scaling,
    pub(super) target: TargetScale,
    /// How many rows there are.
    pub(super) rows: usize,
}

impl Factored {
    /// Factors rows. Without an intercept, nothing is centred.
    pub(super) fn new(rows: &Rows<'_>, numbers: &[f64], fit_intercept: bool) -> Self {
        let scaling = Scaling::measure(rows);
        let scaling = if fit_intercept { scaling } else { scaling.about_zero() };
        let target = TargetScale::measure(rows, numbers, fit_intercept);
        let triangle = factor(rows, numbers, &scaling, &target);
        Self { triangle, scaling, target, rows: rows.len() }
    }

    /// The predictor with weights that are for scaled targets, but for features in the data's own units.
    pub(super) fn predictor(&self, mut weights: Array1<f64>) -> LinearPredictor {
        weights *= self.target.deviation;
        let intercept = self.target.mean - weights.dot(&ArrayView1::from(&self.scaling.means));
        LinearPredictor::new(weights.insert_axis(Axis(0)), Array1::from_elem(1, intercept))
    }
}

/// The target's mean and spread over some rows.
pub(super) struct TargetScale {
    pub(super) mean: f64,
    pub(super) deviation: f64,
}

impl TargetScale {
    fn measure(rows: &Rows<'_>, numbers: &[f64], centred: bool) -> Self {
        let values = || rows.numbers().iter().filter_map(|row| numbers.get(*row as usize));
        let count = rows.len().max(1) as f64;
        let (min, max) = values()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), value| (min.min(*value), max.max(*value)));
        let mean = if centred { (values().sum::<f64>() / count).max(min).min(max) } else { 0.0 };
        let deviation = (values().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
        Self { mean, deviation: if deviation > 0.0 { deviation } else { 1.0 } }
    }
}

fn factor(rows: &Rows<'_>, numbers: &[f64], scaling: &Scaling, target: &TargetScale) -> Triangle {
    let width = rows.width() + 1;
    let parts = over_shards(rows.len(), |range| {
        let mut triangle = Triangle::new(width);
        let mut scaled = vec![0.0; rows.width()];
        let mut block = vec![0.0; BLOCK_ROWS * width];
        for range in blocks(range) {
            let height = range.len();
            for (index, (number, row)) in rows.range(range).enumerate() {
                scaling.apply(&row, &mut scaled);
                let goal =
                    numbers.get(number).map_or(0.0, |number| (number - target.mean) / target.deviation);
                let column = block.iter_mut().skip(index).step_by(height);
                column.zip(scaled.iter().copied().chain([goal])).for_each(|(entry, value)| *entry = value);
            }
            triangle.absorb(block.get_mut(..height * width).unwrap_or_default());
        }
        triangle
    });
    let mut parts = parts.into_iter();
    let mut whole = parts.next().unwrap_or_else(|| Triangle::new(width));
    parts.for_each(|part| whole.merge(&part));
    whole
}
