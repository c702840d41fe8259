//! The second derivatives of the logistic loss, of some of its weights.
//!
//! They only shape the way to the minimum, never the result, so a sample of rows is enough for them.

use std::ops::Range;

use ndarray::{Array2, linalg::general_mat_mul};

use super::class_loss::{ClassLoss, loss_and_residuals};
use super::matrix::{BLOCK_ROWS, Rows, blocks, top};
use super::parallel::over_shards;

/// Rows that the derivatives are taken of.
const SAMPLE_ROWS: usize = 1 << 16;

/// A coordinate: its place among features (the intercept is behind the last), and its output.
#[derive(Clone, Copy)]
struct Place {
    feature: usize,
    output: usize,
}

impl Place {
    fn value(self, features: &[f64]) -> f64 {
        features.get(self.feature).copied().unwrap_or(1.0)
    }
}

impl ClassLoss<'_> {
    /// The second derivatives of the mean loss by each two of these coordinates, at a point; for [`ClassLoss::plain`].
    pub(super) fn curvature(&self, point: &[f64], coordinates: &[usize]) -> Array2<f64> {
        let weights = self.rows.width() * self.outputs;
        let place = |coordinate: &usize| match coordinate.checked_sub(weights) {
            Some(output) => Place { feature: self.rows.width(), output },
            None => Place { feature: coordinate / self.outputs, output: coordinate % self.outputs },
        };
        let places: Vec<Place> = coordinates.iter().map(place).collect();
        let spread = self.rows.len().div_ceil(SAMPLE_ROWS).max(1);
        let sample: Vec<u32> = self.rows.numbers().iter().copied().step_by(spread).collect();
        let sample = self.rows.select(&sample);
        let parts = over_shards(sample.len(), |range| self.shard_curvature(&sample, range, point, &places));
        let mut total = Array2::zeros((places.len(), places.len()));
        parts.iter().for_each(|part| total += part);
        total /= sample.len().max(1) as f64;
        for (entry, place) in total.diag_mut().iter_mut().zip(&places) {
            *entry += self.penalties.get(place.feature).copied().unwrap_or_default();
        }
        total
    }

    /// Of a row's share p of each output and its weight: the weight times p (1 - p) of an only output; else p of each output with
    /// itself, less the product of the shares of each two.
    fn shard_curvature(
        &self,
        rows: &Rows<'_>,
        range: Range<usize>,
        point: &[f64],
        places: &[Place],
    ) -> Array2<f64> {
        let (weights, intercepts) = self.weights(point);
        let mut sum = Array2::zeros((places.len(), places.len()));
        let members =
            |output: usize| places.iter().enumerate().filter(move |(_, place)| place.output == output);
        let of_output: Vec<Vec<(usize, &Place)>> =
            (0..self.outputs).map(|output| members(output).collect()).collect();
        let mut features = Array2::zeros((BLOCK_ROWS, rows.width()));
        for range in blocks(range) {
            let mut features = top(&mut features, range.len());
            for ((_, row), mut scaled) in rows.range(range.clone()).zip(features.rows_mut()) {
                if let Some(scaled) = scaled.as_slice_mut() {
                    self.scaling.apply(&row, scaled);
                }
            }
            let mut shares = Array2::zeros((range.len(), self.outputs));
            shares.rows_mut().into_iter().for_each(|mut row| row.assign(&intercepts));
            general_mat_mul(1.0, &features, &weights, 1.0, &mut shares);
            let roots = self.to_shares(rows.numbers().get(range).unwrap_or_default(), &mut shares);
            // Each place's value in each row, times how it counts.
            let block = |members: &[(usize, &Place)], counts: &dyn Fn(f64) -> f64| {
                let mut block = Array2::zeros((features.nrows(), members.len()));
                let rows = features.rows().into_iter().zip(shares.rows()).zip(&roots);
                for (((features, shares), root), mut out) in rows.zip(block.rows_mut()) {
                    let features = features.to_slice().unwrap_or_default();
                    for (out, (_, place)) in out.iter_mut().zip(members) {
                        let share = shares.get(place.output).copied().unwrap_or_default();
                        *out = root * counts(share) * place.value(features);
                    }
                }
                block
            };
            let is_only = self.outputs == 1;
            let counts = |share: f64| if is_only { (share * (1.0 - share)).sqrt() } else { share.sqrt() };
            for members in &of_output {
                let block = block(members, &counts);
                let products = block.t().dot(&block);
                for (row, (to_row, _)) in products.rows().into_iter().zip(members) {
                    for (entry, (to_column, _)) in row.iter().zip(members) {
                        if let Some(sum) = sum.get_mut((*to_row, *to_column)) {
                            *sum += entry;
                        }
                    }
                }
            }
            if !is_only {
                let everything: Vec<(usize, &Place)> = places.iter().enumerate().collect();
                let block = block(&everything, &|share| share);
                general_mat_mul(-1.0, &block.t(), &block, 1.0, &mut sum);
            }
        }
        sum
    }

    /// Makes the probabilities of outputs of the scores of these rows; gives the root of each row's weight.
    fn to_shares(&self, numbers: &[u32], scores: &mut Array2<f64>) -> Vec<f64> {
        let mut roots = Vec::with_capacity(numbers.len());
        for (number, mut row) in numbers.iter().zip(scores.rows_mut()) {
            let class = self.classes.get(*number as usize).map_or(0, |class| *class as usize);
            roots.push(self.class_weights.get(class).copied().unwrap_or_default().sqrt());
            if let Some(row) = row.as_slice_mut() {
                loss_and_residuals(row, class);
                // A residual is the probability less the truth.
                match row {
                    [only] => *only += class as f64,
                    several => several.iter_mut().skip(class).take(1).for_each(|own| *own += 1.0),
                }
            }
        }
        roots
    }
}
