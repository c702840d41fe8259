//! Linear support vector machines: one class against all others by weighted sums, with a squared hinge loss and an L2 penalty.
//!
//! What is minimised, and so the result, is scikit-learn's LinearSVC with `dual=False`: half of the sum of the squared weights,
//! plus c times the sum over rows of the square of what the margin lacks to 1. The intercept is penalised as a weight. Two
//! classes take one row of weights, more take one each. Owns what a class's rows count and the weights' units; how the loss is
//! minimised is in `squared_hinge`.

use mlpipeline_crds::LinearSvm;
use ndarray::{Array1, Array2};

use super::class_weights::ClassWeights;
use super::error::TrainError;
use super::learner::{Classifier, Fitted, Names};
use super::logistic::check_weights;
use super::matrix::Rows;
use super::scaling::Scaling;
use super::squared_hinge::SquaredHinge;
use crate::model::LinearPredictor;

/// A linear support vector machine with checked parameters.
#[derive(Clone, Debug)]
pub struct SupportVectors {
    c: f64,
    iterations: usize,
    class_weights: ClassWeights,
}

impl SupportVectors {
    /// A linear support vector machine with these parameters, which are within their bounds.
    #[must_use]
    pub fn new(parameters: &LinearSvm) -> Self {
        let iterations = parameters.max_iterations.unwrap_or(LinearSvm::DEFAULT_MAX_ITERATIONS);
        Self {
            c: parameters.c.unwrap_or(LinearSvm::DEFAULT_C),
            iterations: usize::try_from(iterations).unwrap_or_default(),
            class_weights: ClassWeights::new(parameters.class_weight, &parameters.class_weights),
        }
    }
}

/// What is held of each row, in bytes: its root, what it lacks now, after a step and along it, and the shares of it in between.
const ROW_BYTES: usize = 6 * size_of::<f64>();

impl Classifier for SupportVectors {
    fn fit(&self, rows: &Rows<'_>, classes: &[u32], count: usize) -> Result<Fitted, TrainError> {
        check_weights(rows.width(), count)?;
        let scales = scales(rows, self.c);
        let class_weights = self.class_weights.of(rows, classes, count)?;
        let binary = [1];
        let several: Vec<usize> = (0..count).collect();
        let outputs = if count <= 2 { binary.as_slice() } else { several.as_slice() };
        let (mut weights, mut intercepts) = (Array2::zeros((outputs.len(), rows.width())), Vec::new());
        let mut has_converged = true;
        for (output, mut weights) in outputs.iter().zip(weights.rows_mut()) {
            let root = |row: &u32| {
                let class = classes.get(*row as usize).map_or(0, |class| *class as usize);
                // More than two classes: rows of all others count as 1 whatever their classes' weights, as in scikit-learn.
                let counts = if class == *output || count <= 2 { class_weights.get(class) } else { None };
                let root = (2.0 * self.c * counts.unwrap_or(&1.0)).sqrt();
                if class == *output { root } else { -root }
            };
            let roots = rows.numbers().iter().map(root).collect();
            let (point, converged) =
                SquaredHinge { rows: *rows, roots, scales: &scales }.minimise(self.iterations)?;
            has_converged &= converged;
            let mut unscaled = point.iter().zip(&scales).map(|(coordinate, scale)| coordinate * scale);
            weights.iter_mut().zip(unscaled.by_ref()).for_each(|(weight, found)| *weight = found);
            intercepts.extend(unscaled);
        }
        let warning = (!has_converged).then(|| {
            format!(
                "the linear support vector machine did not converge in {} iterations: raise maxIterations (or lower c)",
                self.iterations
            )
        });
        Ok(Fitted { predictor: LinearPredictor::new(weights, Array1::from_vec(intercepts)).into(), warning })
    }

    fn row_bytes(&self, _width: usize, _classes: usize) -> Option<usize> {
        Some(ROW_BYTES)
    }

    fn placed(&self, names: &Names<'_>) -> Result<Option<Box<dyn Classifier>>, TrainError> {
        let placed = self.class_weights.placed("linearSvm", names)?;
        Ok(placed
            .map(|class_weights| Box::new(Self { class_weights, ..self.clone() }) as Box<dyn Classifier>))
    }
}

/// What each weight's coordinate and, last, the intercept's is multiplied by, so that their second derivatives are about 1
/// while all rows lack something.
fn scales(rows: &Rows<'_>, c: f64) -> Vec<f64> {
    let root = (2.0 * c * rows.len() as f64).sqrt();
    let sizes = Scaling::measure(rows).about_zero().deviations;
    sizes.into_iter().chain([1.0]).map(|size| (size * root).hypot(1.0).recip()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::matrix::Matrix;
    use super::*;

    /// Rows like pictures: counts from 0 to 16, of which some are nearly always 0, with a unit for each column.
    fn pictures(rows: usize, width: usize) -> (Matrix, Vec<u32>) {
        let noise =
            |place: usize| ((place as f64 + 1.0) * 12.9898).sin().mul_add(43758.5453, 0.0).fract().abs();
        let mut matrix = Matrix::new(width);
        for row in 0..rows {
            let pixel = |column: usize| {
                let shade = (noise(row * width + column) * 17.0 - (column % 17) as f64).max(0.0).floor();
                shade * 10.0_f64.powi((column % 5) as i32 - 2)
            };
            matrix.extend(&(0..width).map(pixel).collect::<Vec<_>>());
        }
        (matrix, (0..rows).map(|row| (noise(row + 7) * 3.0) as u32).collect())
    }

    #[test]
    fn a_few_steps_reach_where_the_loss_is_flat() {
        for (rows, width, c) in [(200, 40, 1.0), (200, 40, 1000.0), (30, 40, 1.0)] {
            let (matrix, classes) = pictures(rows, width);
            let numbers: Vec<u32> = (0..rows as u32).collect();
            let parameters = LinearSvm { c: Some(c), max_iterations: Some(50), ..LinearSvm::default() };
            let fitted = SupportVectors::new(&parameters).fit(&Rows::new(&matrix, &numbers), &classes, 3);
            let fitted = fitted.expect("a fit");
            assert_eq!(fitted.warning, None, "{width} features, c {c}");
            let linear = fitted.predictor.linear().expect("weights");
            for (class, (weights, intercept)) in
                linear.weights().rows().into_iter().zip(linear.intercepts()).enumerate()
            {
                // The slope by each weight and the intercept, and the size of what it is the sum of.
                let mut slopes: Vec<(f64, f64)> =
                    weights.iter().chain([intercept]).map(|weight| (*weight, weight.abs())).collect();
                for (row, of_class) in classes.iter().enumerate() {
                    let features = matrix.row(row);
                    let side = if *of_class as usize == class { 1.0 } else { -1.0 };
                    let score = features.iter().zip(weights).map(|(x, w)| x * w).sum::<f64>() + intercept;
                    let lacks = (1.0 - side * score).max(0.0);
                    for ((slope, size), feature) in slopes.iter_mut().zip(features.iter().chain([&1.0])) {
                        *slope -= 2.0 * c * side * lacks * feature;
                        *size += 2.0 * c * lacks * feature.abs();
                    }
                }
                assert!(
                    slopes.iter().all(|(slope, size)| slope.abs() <= 1e-7 * size),
                    "{width} features, c {c}: {slopes:?}"
                );
            }
        }
    }

    #[test]
    fn too_few_steps_are_warned_of() {
        let (matrix, classes) = pictures(200, 30);
        let numbers: Vec<u32> = (0..200).collect();
        let parameters = LinearSvm { max_iterations: Some(1), ..LinearSvm::default() };
        let fitted = SupportVectors::new(&parameters).fit(&Rows::new(&matrix, &numbers), &classes, 3);
        assert!(
            fitted.expect("a fit").warning.expect("a warning").contains("did not converge in 1 iterations")
        );
    }
}
