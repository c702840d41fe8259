//! Outliers by an isolation forest: the fewer questions tell a row from all others, the stranger it is.
//!
//! Owns what becomes of the lengths of paths: F. Liu, K. Ting, Z. Zhou, "Isolation forest" (2008). A score is scikit-learn's
//! `score_samples` with the sign of the paper: between 0 and 1, and near 0.5 for rows of which nothing can be said.

use ndarray::{Array2, ArrayView2, Axis};

use super::{Finding, ModelError, Predictions, TreeOutput, TreePredictor};

/// Euler's constant.
const EULER: f64 = 0.577_215_664_901_532_9;

/// How far a score is above the threshold before its row is an outlier: the mean over many trees of one length is that length only
/// but for rounding, and scores of rows that any tree tells apart differ by more.
const ROUNDING: f64 = 1e-12;

/// Trees whose leaves say how long the path to a row is, and what that means.
#[derive(Clone, Debug, PartialEq)]
pub struct IsolationPredictor {
    trees: TreePredictor,
    /// How many rows each tree saw.
    samples: u32,
    /// The score above which a row is an outlier.
    threshold: f64,
}

impl IsolationPredictor {
    /// A predictor from its trees, whose leaves have the lengths of paths.
    #[must_use]
    pub fn new(trees: TreePredictor, samples: u32, threshold: f64) -> Self {
        Self { trees, samples, threshold }
    }

    /// The same with another threshold.
    #[must_use]
    pub fn with_threshold(self, threshold: f64) -> Self {
        Self { threshold, ..self }
    }

    /// The trees.
    #[must_use]
    pub fn trees(&self) -> &TreePredictor {
        &self.trees
    }

    /// How many rows each tree saw.
    #[must_use]
    pub fn samples(&self) -> u32 {
        self.samples
    }

    /// The score above which a row is an outlier.
    #[must_use]
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// The score above which a row is an outlier, rounding of the mean over the trees included.
    #[must_use]
    pub fn outlier_above(&self) -> f64 {
        self.threshold + ROUNDING
    }

    /// What it finds.
    #[must_use]
    pub fn finding(&self) -> Finding {
        Finding::Outliers
    }

    pub(super) fn check(&self, columns: usize) -> Result<(), ModelError> {
        let is_right = self.trees.output == TreeOutput::MeanOfNumbers && self.trees.features() == columns;
        if is_right && self.samples > 0 && (0.0..=1.0).contains(&self.threshold) {
            return Ok(());
        }
        Err(ModelError::Invalid(format!(
            "it has no trees of {columns} features with a threshold from 0 to 1"
        )))
    }

    /// Whether rows are outliers, with their scores. Each row is computed by itself.
    ///
    /// # Errors
    /// When a row's score is not a finite number.
    pub fn find(&self, rows: ArrayView2<'_, f64>) -> Result<Predictions, ModelError> {
        let expected = path_length(self.samples);
        let score = |length: f64| if expected > 0.0 { (-length / expected).exp2() } else { 0.5 };
        let scores = self.trees.numbers(rows)?.mapv(score);
        if let Some(row) = scores.iter().position(|score| !score.is_finite()) {
            return Err(ModelError::Overflow { row });
        }
        let index = scores.iter().map(|score| usize::from(*score > self.outlier_above())).collect();
        let numbers: Array2<f64> = scores.insert_axis(Axis(1));
        Ok(Predictions::Findings { index, numbers })
    }
}

/// How long a path is on average that tells one of so many rows from the others.
#[must_use]
pub fn path_length(rows: u32) -> f64 {
    match rows {
        0 | 1 => 0.0,
        2 => 1.0,
        more => {
            let others = f64::from(more) - 1.0;
            2.0 * (others.ln() + EULER) - 2.0 * others / f64::from(more)
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::model::{Split, TreeBuilder};

    #[test]
    fn short_paths_are_outliers() {
        let mut tree = TreeBuilder::new(1);
        tree.split(Split { feature: 0, threshold: 5.0, missing_left: false }).expect("a split");
        tree.leaf(&[1.0 + path_length(255)]).expect("left");
        tree.leaf(&[1.0]).expect("right");
        let trees = TreePredictor::mean(1, TreeOutput::MeanOfNumbers, vec![tree.finish().expect("whole")]);
        let predictor = IsolationPredictor::new(trees.expect("trees"), 256, 0.5);
        predictor.check(1).expect("it fits");
        assert!(predictor.check(2).is_err() && predictor.clone().with_threshold(f64::NAN).check(1).is_err());
        let found = predictor.find(array![[0.0], [9.0]].view()).expect("findings");
        let Predictions::Findings { index, numbers } = found else { panic!("findings") };
        assert_eq!(index, [0, 1]);
        assert!(numbers[[0, 0]] < 0.5 && (numbers[[1, 0]] - (-1.0 / path_length(256)).exp2()).abs() < 1e-15);
    }

    #[test]
    fn lengths_of_paths_are_those_of_the_paper() {
        assert_eq!([path_length(0), path_length(1), path_length(2)], [0.0, 0.0, 1.0]);
        assert!((path_length(256) - 10.244_770_920_119_917).abs() < 1e-12, "{}", path_length(256));
    }
}
