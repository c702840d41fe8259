//! Naive Bayes of features that are counted: multinomial, of how often things occur, and Bernoulli, of what is there.
//!
//! What is learned is what scikit-learn's MultinomialNB and BernoulliNB learn. The logarithm of a class's probability is a
//! weighted sum of the features, so that the model is one of weights.

use mlpipeline_crds::{BernoulliNaiveBayes, MultinomialNaiveBayes};
use ndarray::{Array1, Array2, Axis};

use super::class_weights::class_sizes;
use super::error::TrainError;
use super::learner::{Classifier, Fitted};
use super::matrix::Rows;
use super::parallel::over_shards;
use crate::model::LinearPredictor;

/// Naive Bayes of counted features, with checked parameters.
#[derive(Clone, Debug)]
pub struct CountingBayes {
    alpha: f64,
    fit_prior: bool,
    /// The value above which a feature is there; none where features are counts.
    binarize: Option<f64>,
}

impl CountingBayes {
    /// Multinomial naive Bayes with these parameters, which are within their bounds.
    #[must_use]
    pub fn multinomial(parameters: &MultinomialNaiveBayes) -> Self {
        Self {
            alpha: parameters.alpha.unwrap_or(MultinomialNaiveBayes::DEFAULT_ALPHA),
            fit_prior: parameters.fit_prior.unwrap_or(MultinomialNaiveBayes::DEFAULT_FIT_PRIOR),
            binarize: None,
        }
    }

    /// Bernoulli naive Bayes with these parameters, which are within their bounds.
    #[must_use]
    pub fn bernoulli(parameters: &BernoulliNaiveBayes) -> Self {
        Self {
            alpha: parameters.alpha.unwrap_or(MultinomialNaiveBayes::DEFAULT_ALPHA),
            fit_prior: parameters.fit_prior.unwrap_or(MultinomialNaiveBayes::DEFAULT_FIT_PRIOR),
            binarize: Some(parameters.binarize.unwrap_or(BernoulliNaiveBayes::DEFAULT_BINARIZE)),
        }
    }

    /// How much of each feature each class has: classes × features.
    fn counts(&self, rows: &Rows<'_>, classes: &[u32], count: usize) -> Array2<f64> {
        let parts = over_shards(rows.len(), |range| {
            let mut sums = Array2::<f64>::zeros((count, rows.width()));
            for (number, row) in rows.range(range) {
                let class = classes.get(number).map_or(0, |class| *class as usize);
                let Some(mut sums) = sums.rows_mut().into_iter().nth(class) else { continue };
                for (sum, value) in sums.iter_mut().zip(row.iter()) {
                    *sum += self.binarize.map_or(*value, |above| f64::from(u8::from(*value > above)));
                }
            }
            sums
        });
        parts.into_iter().fold(Array2::<f64>::zeros((count, rows.width())), |sums, part| sums + &part)
    }

    /// The weights (classes × features) and what each class adds to them.
    fn log_shares(&self, counts: Array2<f64>, sizes: &[f64]) -> (Array2<f64>, Array1<f64>) {
        let mut constants = Array1::zeros(sizes.len());
        let mut weights = counts + self.alpha;
        for ((mut row, size), constant) in weights.rows_mut().into_iter().zip(sizes).zip(&mut constants) {
            if self.binarize.is_none() {
                let sum = row.sum();
                row.mapv_inplace(|count| count.ln() - sum.ln());
                continue;
            }
            let total = size + 2.0 * self.alpha;
            for weight in &mut row {
                let (there, absent) = (weight.ln(), (total - *weight).ln());
                *constant += absent - total.ln();
                *weight = there - absent;
            }
        }
        (weights, constants)
    }
}

impl Classifier for CountingBayes {
    fn fit(&self, rows: &Rows<'_>, classes: &[u32], count: usize) -> Result<Fitted, TrainError> {
        if self.binarize.is_none() {
            check_counts(rows)?;
        }
        let sizes = class_sizes(rows, classes, count);
        let (mut weights, mut intercepts) = self.log_shares(self.counts(rows, classes, count), &sizes);
        let total = rows.len().max(1) as f64;
        for (intercept, size) in intercepts.iter_mut().zip(&sizes) {
            *intercept += if self.fit_prior { (size / total).ln() } else { -(count as f64).ln() };
        }
        if let [first, second] = intercepts.as_slice().unwrap_or_default() {
            // Of two classes, the model has the log-odds of the second.
            let odds = second - first;
            let rows = (weights.row(1).to_owned() - weights.row(0)).insert_axis(Axis(0));
            (weights, intercepts) = (rows, Array1::from_elem(1, odds));
        }
        if !weights.iter().chain(&intercepts).all(|number| number.is_finite()) {
            let message = "a share of a feature is too small to compute with; raise alpha".to_owned();
            return Err(TrainError::Data(message));
        }
        let predictor = LinearPredictor::new(weights, intercepts);
        let predictor = match self.binarize {
            Some(above) => predictor.with_binarized_features(above),
            None => predictor,
        };
        Ok(Fitted { predictor: predictor.into(), warning: None })
    }

    fn row_bytes(&self, _width: usize, _classes: usize) -> Option<usize> {
        Some(0)
    }
}

/// Counts are 0 or more.
fn check_counts(rows: &Rows<'_>) -> Result<(), TrainError> {
    for (number, row) in rows.iter() {
        if let Some(place) = row.iter().position(|value| *value < 0.0) {
            let problem = format!(
                "is {} in row {}, and multinomial naive Bayes learns from counts of 0 or more; leave such features out, set scale: \
                 minMax where scale: standard made them so, or use gaussianNaiveBayes",
                row.get(place).copied().unwrap_or_default(),
                number + 1
            );
            return Err(TrainError::Feature { place, problem });
        }
    }
    Ok(())
}
