//! The loss of logistic regression and its gradient, over blocks of rows and many threads.

use ndarray::{Array1, Array2, ArrayViewMut2, Axis, linalg::general_mat_mul};

use super::matrix::{BLOCK_ROWS, Rows, blocks, top};
use super::parallel::over_shards;
use super::preconditioner::Preconditioner;
use super::scaling::Scaling;

/// The mean loss over some rows, as a function of parameters: features × outputs coordinates of a preconditioner, row by row,
/// then one for each output's intercept.
pub(super) struct ClassLoss<'a> {
    pub(super) rows: Rows<'a>,
    pub(super) classes: &'a [u32],
    /// How much a row of each class counts.
    pub(super) class_weights: Vec<f64>,
    pub(super) scaling: &'a Scaling,
    pub(super) outputs: usize,
    /// Half of each weight's penalty's second derivative, over the mean.
    pub(super) penalties: Vec<f64>,
    preconditioner: Preconditioner,
    /// What an intercept's coordinate is divided by, so that its curvature is at most 1 too.
    intercept_root: f64,
}

/// What one shard adds: the loss and its gradient by weights and by intercepts.
struct Part {
    loss: f64,
    weights: Array2<f64>,
    intercepts: Array1<f64>,
}

impl<'a> ClassLoss<'a> {
    /// The loss of rows of so many classes, with a penalty of alpha / 2 times the sum of the squared weights on their sum.
    pub(super) fn new(
        rows: Rows<'a>,
        classes: &'a [u32],
        class_weights: Vec<f64>,
        scaling: &'a Scaling,
        alpha: f64,
    ) -> Self {
        let is_binary = class_weights.len() <= 2;
        let mean_alpha = alpha / rows.len().max(1) as f64;
        let bound: f64 = if is_binary { 0.25 } else { 0.5 };
        let penalties: Vec<f64> =
            scaling.deviations.iter().map(|deviation| mean_alpha / (deviation * deviation)).collect();
        Self {
            preconditioner: Preconditioner::new(&rows, scaling, bound, &penalties),
            rows,
            classes,
            outputs: if is_binary { 1 } else { class_weights.len() },
            class_weights,
            scaling,
            penalties,
            intercept_root: bound.sqrt(),
        }
    }

    /// [`ClassLoss::new`], whose parameters are the weights of scaled features and the intercepts themselves.
    pub(super) fn plain(
        rows: Rows<'a>,
        classes: &'a [u32],
        class_weights: Vec<f64>,
        scaling: &'a Scaling,
        alpha: f64,
    ) -> Self {
        let preconditioner = Preconditioner::none(rows.width());
        Self {
            preconditioner,
            intercept_root: 1.0,
            ..Self::new(rows, classes, class_weights, scaling, alpha)
        }
    }

    /// The penalty of each parameter's absolute value, over the mean, where that of a weight in the data's units is alpha.
    pub(super) fn absolute_penalties(&self, alpha: f64) -> Vec<f64> {
        let mean_alpha = alpha / self.rows.len().max(1) as f64;
        let of_weights = self
            .scaling
            .deviations
            .iter()
            .flat_map(|deviation| std::iter::repeat_n(mean_alpha / deviation, self.outputs));
        of_weights.chain(std::iter::repeat_n(0.0, self.outputs)).collect()
    }

    /// How many parameters there are.
    pub(super) fn parameters(&self) -> usize {
        (self.rows.width() + 1) * self.outputs
    }

    /// The weights (features × outputs) and the intercepts that parameters stand for.
    pub(super) fn weights(&self, point: &[f64]) -> (Array2<f64>, Array1<f64>) {
        let mut point = point.iter().copied();
        let mut weights = Array2::from_shape_simple_fn((self.rows.width(), self.outputs), || {
            point.next().unwrap_or_default()
        });
        self.preconditioner.to_weights(&mut weights.view_mut());
        (weights, point.map(|coordinate| coordinate / self.intercept_root).collect())
    }

    /// The mean loss at a point; its gradient goes to `gradient`.
    pub(super) fn evaluate(&self, point: &[f64], gradient: &mut [f64]) -> f64 {
        let (weights, intercepts) = self.weights(point);
        let parts = over_shards(self.rows.len(), |range| {
            let mut part = Part {
                loss: 0.0,
                weights: Array2::zeros(weights.dim()),
                intercepts: Array1::zeros(self.outputs),
            };
            let mut features = Array2::zeros((BLOCK_ROWS, self.rows.width()));
            let mut scores = Array2::zeros((BLOCK_ROWS, self.outputs));
            for range in blocks(range) {
                let features = top(&mut features, range.len());
                let scores = top(&mut scores, range.len());
                self.add_block(range, features, scores, (&weights, &intercepts), &mut part);
            }
            part
        });
        let mut total = Part {
            loss: 0.0,
            weights: Array2::zeros(weights.dim()),
            intercepts: Array1::zeros(self.outputs),
        };
        for part in parts {
            total.loss += part.loss;
            total.weights += &part.weights;
            total.intercepts += &part.intercepts;
        }
        self.finish(total, &weights, gradient)
    }

    /// Adds the loss and the gradient of one block of rows.
    fn add_block(
        &self,
        range: std::ops::Range<usize>,
        mut features: ArrayViewMut2<'_, f64>,
        mut scores: ArrayViewMut2<'_, f64>,
        (weights, intercepts): (&Array2<f64>, &Array1<f64>),
        part: &mut Part,
    ) {
        for ((_, row), mut scaled) in self.rows.range(range.clone()).zip(features.rows_mut()) {
            if let Some(scaled) = scaled.as_slice_mut() {
                self.scaling.apply(&row, scaled);
            }
        }
        scores.rows_mut().into_iter().for_each(|mut row| row.assign(intercepts));
        general_mat_mul(1.0, &features, weights, 1.0, &mut scores);
        let numbers = self.rows.numbers().get(range).unwrap_or_default();
        for (number, mut row) in numbers.iter().zip(scores.rows_mut()) {
            let class = self.classes.get(*number as usize).copied().unwrap_or_default() as usize;
            let weight = self.class_weights.get(class).copied().unwrap_or_default();
            if let Some(row) = row.as_slice_mut() {
                part.loss += weighted_logistic(row, class, weight);
            }
        }
        general_mat_mul(1.0, &features.t(), &scores, 1.0, &mut part.weights);
        part.intercepts += &scores.sum_axis(Axis(0));
    }

    /// Adds the penalty and goes over to the preconditioner's coordinates.
    fn finish(&self, mut total: Part, weights: &Array2<f64>, gradient: &mut [f64]) -> f64 {
        let count = self.rows.len().max(1) as f64;
        let mut loss = total.loss / count;
        total.weights /= count;
        let rows = total.weights.rows_mut().into_iter().zip(weights.rows());
        for ((mut gradient, weights), penalty) in rows.zip(&self.penalties) {
            loss += 0.5 * penalty * weights.dot(&weights);
            gradient.scaled_add(*penalty, &weights);
        }
        total.intercepts /= count;
        self.preconditioner.to_gradient(&mut total.weights.view_mut());
        total.intercepts /= self.intercept_root;
        for (out, entry) in gradient.iter_mut().zip(total.weights.iter().chain(&total.intercepts)) {
            *out = *entry;
        }
        loss
    }
}

fn weighted_logistic(scores: &mut [f64], class: usize, weight: f64) -> f64 {
    let loss = weight * loss_and_residuals(scores, class);
    scores.iter_mut().for_each(|residual| *residual *= weight);
    loss
}

/// The loss of one row with these scores and this class; the scores become the loss's derivatives by them.
pub(super) fn loss_and_residuals(scores: &mut [f64], class: usize) -> f64 {
    if let [score] = scores {
        // Two classes: one score, the log-odds of the second. exp() only ever sees what is not positive.
        let e = (-score.abs()).exp();
        let loss = e.ln_1p() + if class == 1 { (-*score).max(0.0) } else { score.max(0.0) };
        let probability = if *score >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) };
        *score = probability - class as f64;
        return loss;
    }
    let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let own = scores.get(class).copied().unwrap_or(max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - max).exp();
        sum += *score;
    }
    for score in scores.iter_mut() {
        *score /= sum;
    }
    if let Some(own) = scores.get_mut(class) {
        *own -= 1.0;
    }
    sum.ln() + max - own
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::matrix::Matrix;
    use super::*;

    #[test]
    fn a_rows_loss_is_right_where_scores_are_extreme() {
        for (scores, class, expected) in [
            (vec![0.0, 0.0], 0, 2.0_f64.ln()),
            (vec![800.0, -800.0], 0, 0.0),
            (vec![800.0, -800.0], 1, 1600.0),
            (vec![-1e4, -1e4], 1, 2.0_f64.ln()),
            (vec![0.0], 1, 2.0_f64.ln()),
            (vec![-900.0], 1, 900.0),
            (vec![900.0], 1, 0.0),
        ] {
            let mut residuals = scores.clone();
            let loss = loss_and_residuals(&mut residuals, class);
            assert!((loss - expected).abs() < 1e-12, "{scores:?} {class}: {loss}");
            assert!(residuals.iter().all(|residual| residual.abs() <= 1.0));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_gradient_is_that_of_finite_differences(
            numbers in prop::collection::vec(-3.0..3.0_f64, 3 * 20),
            classes in prop::collection::vec(0..3_u32, 20),
            point in prop::collection::vec(-1.0..1.0_f64, 12),
            count in 2..4_usize, alpha in 0.0..10.0_f64,
        ) {
            let mut matrix = Matrix::new(3);
            // Columns of very different size.
            numbers.chunks_exact(3).for_each(|row| matrix.extend(&[row[0], row[1] * 1e4 + 1e5, row[2] * 1e-3]));
            let classes: Vec<u32> = classes.iter().map(|class| class % count as u32).collect();
            let rows: Vec<u32> = (0..20).collect();
            let rows = Rows::new(&matrix, &rows);
            let scaling = Scaling::measure(&rows);
            let weights: Vec<f64> = (1..=count).map(|class| class as f64 / 2.0).collect();
            let loss = ClassLoss::new(rows, &classes, weights, &scaling, alpha);
            let point = &point[..loss.parameters()];
            let mut gradient = vec![0.0; point.len()];
            let mut unused = gradient.clone();
            loss.evaluate(point, &mut gradient);
            for (place, found) in gradient.iter().enumerate() {
                let mut at = |step: f64| {
                    let mut moved = point.to_vec();
                    moved[place] += step;
                    loss.evaluate(&moved, &mut unused)
                };
                let expected = (at(1e-5) - at(-1e-5)) / 2e-5;
                prop_assert!((found - expected).abs() < 1e-7 * (1.0 + expected.abs()), "{} {} {}", place, found, expected);
            }
        }
    }
}
