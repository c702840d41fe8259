//! Gradient boosting of trees by histograms: parameters, and the rounds.
//!
//! What is minimised, how leaves are chosen and what the parameters mean are scikit-learn's HistGradientBoosting. There is no
//! early stopping: all rounds are done, so that no row is kept from the trees and the result depends on no draw.

mod bins;
mod grow;
mod histogram;
mod loss;

use mlpipeline_crds::GradientBoosting as Parameters;

use self::bins::bin;
use self::grow::{Grower, Growth};
use self::histogram::Limits;
use self::loss::Loss;
use super::error::TrainError;
use super::learner::{Classifier, Fitted, Regressor};
use super::matrix::Rows;
use crate::model::TreePredictor;

/// Boosting with checked parameters.
#[derive(Clone, Debug)]
pub struct GradientBoosting {
    growth: Growth,
    max_iterations: usize,
    max_bins: usize,
}

impl GradientBoosting {
    /// An algorithm with these parameters, which are within their bounds.
    #[must_use]
    pub fn new(parameters: &Parameters) -> Self {
        let l2 = parameters.l2_regularization.unwrap_or(Parameters::DEFAULT_L2_REGULARIZATION);
        let min_samples_leaf = parameters.min_samples_leaf.unwrap_or(Parameters::DEFAULT_MIN_SAMPLES_LEAF);
        let max_leaves = parameters.max_leaf_nodes.unwrap_or(Parameters::DEFAULT_MAX_LEAF_NODES);
        let max_iterations = parameters.max_iterations.unwrap_or(Parameters::DEFAULT_MAX_ITERATIONS);
        let max_bins = parameters.max_bins.unwrap_or(Parameters::DEFAULT_MAX_BINS);
        let growth = Growth {
            limits: Limits { l2, min_samples_leaf: u64::from(min_samples_leaf.unsigned_abs()) },
            max_leaves: max_leaves.unsigned_abs() as usize,
            max_depth: parameters.max_depth.map_or(usize::MAX, |depth| depth.unsigned_abs() as usize),
            learning_rate: parameters.learning_rate.unwrap_or(Parameters::DEFAULT_LEARNING_RATE),
        };
        Self {
            growth,
            max_iterations: max_iterations.unsigned_abs() as usize,
            max_bins: max_bins.unsigned_abs() as usize,
        }
    }

    fn boost(&self, rows: &Rows<'_>, loss: &Loss) -> Result<Fitted, TrainError> {
        let columns = bin(rows, self.max_bins);
        let start = loss.start();
        let mut scores: Vec<Vec<f64>> = start.iter().map(|start| vec![*start; rows.len()]).collect();
        let mut shares = vec![0.0; if start.len() > 1 { rows.len() * start.len() } else { 0 }];
        let mut grower = Grower::new(&columns, rows.len(), self.growth);
        let mut trees = Vec::new();
        for _ in 0..self.max_iterations {
            loss.shares(&scores, &mut shares);
            for (class, scores) in scores.iter_mut().enumerate() {
                loss.derive(class, scores, &shares, grower.entries());
                trees.push(grower.grow(scores)?);
            }
        }
        let predictor = TreePredictor::new(rows.width(), loss.output(), start, trees)?;
        Ok(Fitted { predictor: predictor.into(), warning: None })
    }
}

impl Classifier for GradientBoosting {
    fn fit(&self, rows: &Rows<'_>, classes: &[u32], count: usize) -> Result<Fitted, TrainError> {
        let classes =
            rows.numbers().iter().map(|row| classes.get(*row as usize).copied().unwrap_or(0)).collect();
        let loss = if count <= 2 { Loss::Binary(classes) } else { Loss::Multiclass(classes, count) };
        self.boost(rows, &loss)
    }
}

impl Regressor for GradientBoosting {
    fn fit(&self, rows: &Rows<'_>, numbers: &[f64]) -> Result<Fitted, TrainError> {
        let numbers =
            rows.numbers().iter().map(|row| numbers.get(*row as usize).copied().unwrap_or(0.0)).collect();
        self.boost(rows, &Loss::Squared(numbers))
    }
}
