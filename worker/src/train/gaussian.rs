//! Gaussian naive Bayes: the mean and the variance of every feature in every class.
//!
//! What is learned is what scikit-learn's GaussianNB learns, its smoothing included.

use mlpipeline_crds::GaussianNaiveBayes as Parameters;

use super::class_weights::class_sizes;
use super::error::TrainError;
use super::learner::{Classifier, Fitted};
use super::matrix::Rows;
use super::parallel::over_shards;
use super::scaling::Scaling;
use crate::model::GaussianPredictor;

/// Gaussian naive Bayes with checked parameters.
#[derive(Clone, Debug)]
pub struct GaussianNaiveBayes {
    var_smoothing: f64,
}

impl GaussianNaiveBayes {
    /// An algorithm with these parameters, which are within their bounds.
    #[must_use]
    pub fn new(parameters: &Parameters) -> Self {
        Self { var_smoothing: parameters.var_smoothing.unwrap_or(Parameters::DEFAULT_VAR_SMOOTHING) }
    }
}

impl Classifier for GaussianNaiveBayes {
    fn fit(&self, rows: &Rows<'_>, classes: &[u32], count: usize) -> Result<Fitted, TrainError> {
        let scaling = Scaling::measure(rows);
        let width = rows.width();
        let sizes = class_sizes(rows, classes, count);
        // Sums are of what is above the mean of all rows, so that columns far from 0 lose no digits.
        let centre = vec![scaling.means.clone(); count];
        let above = class_means(rows, classes, &sizes, &centre, |distance| distance);
        let means: Vec<Vec<f64>> = above
            .into_iter()
            .map(|above| above.iter().zip(&scaling.means).map(|(above, mean)| mean + above).collect())
            .collect();
        let mut variances = class_means(rows, classes, &sizes, &means, |distance| distance * distance);
        let smoothing = self.var_smoothing * largest_variance(&scaling);
        for variance in variances.iter_mut().flatten() {
            *variance += smoothing;
        }
        check(&variances, width)?;
        let total = rows.len().max(1) as f64;
        let log_priors = sizes.iter().map(|size| (size / total).ln()).collect();
        Ok(Fitted { predictor: GaussianPredictor::new(log_priors, means, variances).into(), warning: None })
    }

    fn row_bytes(&self, _width: usize, _classes: usize) -> Option<usize> {
        Some(0)
    }
}

/// The mean in each class of what `of` makes of the values' distances from the class's centre.
fn class_means(
    rows: &Rows<'_>,
    classes: &[u32],
    sizes: &[f64],
    centres: &[Vec<f64>],
    of: impl Fn(f64) -> f64 + Sync,
) -> Vec<Vec<f64>> {
    let parts = over_shards(rows.len(), |range| {
        let mut sums = vec![vec![0.0; rows.width()]; sizes.len()];
        for (number, row) in rows.range(range) {
            let class = classes.get(number).map_or(0, |class| *class as usize);
            let (Some(sums), Some(centre)) = (sums.get_mut(class), centres.get(class)) else { continue };
            for ((sum, value), centre) in sums.iter_mut().zip(row.iter()).zip(centre) {
                *sum += of(value - centre);
            }
        }
        sums
    });
    let mut means = vec![vec![0.0; rows.width()]; sizes.len()];
    for part in parts {
        means.iter_mut().flatten().zip(part.iter().flatten()).for_each(|(mean, sum)| *mean += sum);
    }
    for (means, size) in means.iter_mut().zip(sizes) {
        means.iter_mut().for_each(|mean| *mean /= size.max(1.0));
    }
    means
}

/// The variance over all rows of the feature that varies most.
fn largest_variance(scaling: &Scaling) -> f64 {
    let varied = scaling.min.iter().zip(&scaling.max).zip(&scaling.deviations);
    varied
        .filter(|((min, max), _)| min < max)
        .fold(0.0, |largest, (_, deviation)| largest.max(deviation * deviation))
}

/// A feature that has one value only in a class, and nothing to smooth it with, has no distribution.
fn check(variances: &[Vec<f64>], width: usize) -> Result<(), TrainError> {
    for feature in 0..width {
        let of_feature = variances.iter().filter_map(|variances| variances.get(feature));
        if of_feature.clone().any(|variance| !variance.is_finite()) {
            let problem =
                "has a variance that is not finite; look for absurd values, and set scale: standard for it"
                    .to_owned();
            return Err(TrainError::Feature { place: feature, problem });
        }
        if of_feature.clone().any(|variance| !(variance.is_normal() && *variance > 0.0)) {
            let problem = "has one value only in a class; leave it out, or raise varSmoothing".to_owned();
            return Err(TrainError::Feature { place: feature, problem });
        }
    }
    Ok(())
}
