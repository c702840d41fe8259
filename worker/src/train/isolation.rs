//! Isolation forests: trees of random splits over few rows each.
//!
//! F. Liu, K. Ting, Z. Zhou, "Isolation forest" (2008), with scikit-learn's parameters: a feature that varies is drawn, and a
//! threshold within its range, as deep as a balanced tree of the rows would be. Each tree has random numbers of its own.

use std::collections::BTreeSet;

use mlpipeline_crds::IsolationForest as Parameters;
use ndarray::Array2;

use super::error::TrainError;
use super::learner::{Finder, Fitted};
use super::matrix::{Rows, blocks};
use super::parallel::{over_items, over_shards};
use super::quantile::quantile;
use super::shuffle::Shuffler;
use crate::model::{
    BINARY_LIMIT, IsolationPredictor, ModelError, Predictions, Split, Tree, TreeBuilder, TreeOutput,
    TreePredictor, path_length,
};

/// The score above which a row is an outlier, where no share of outliers is given.
const THRESHOLD: f64 = 0.5;

/// The most bytes that a leaf and its split take in the file of trees.
const LEAF_BYTES: u64 = 26;

/// An isolation forest with checked parameters.
#[derive(Clone, Debug)]
pub struct IsolationForest {
    trees: u64,
    samples: usize,
    contamination: Option<f64>,
    seed: i64,
}

impl IsolationForest {
    /// An algorithm with these parameters, which are within their bounds.
    #[must_use]
    pub fn new(parameters: &Parameters) -> Self {
        let whole = |value: Option<i32>, default: i32| value.unwrap_or(default).unsigned_abs();
        Self {
            trees: u64::from(whole(parameters.n_estimators, Parameters::DEFAULT_N_ESTIMATORS)),
            samples: whole(parameters.max_samples, Parameters::DEFAULT_MAX_SAMPLES) as usize,
            contamination: parameters.contamination,
            seed: parameters.seed.unwrap_or(Parameters::DEFAULT_SEED),
        }
    }
}

impl Finder for IsolationForest {
    fn fit(&self, rows: &Rows<'_>) -> Result<Fitted, TrainError> {
        let samples = self.samples.min(rows.len());
        let size = self.trees.saturating_mul(samples as u64 * LEAF_BYTES);
        if size > BINARY_LIMIT {
            return Err(TrainError::Data(format!(
                "{} trees of {samples} rows take up to {} MiB, and at most {} MiB can be served; lower maxSamples or nEstimators",
                self.trees,
                size >> 20,
                BINARY_LIMIT >> 20
            )));
        }
        let trees = over_items((0..self.trees).collect(), |number| {
            let mut shuffler = Shuffler::stream(self.seed, number);
            let drawn = draw(rows, samples, &mut shuffler);
            grow(drawn.iter().map(Vec::as_slice).collect(), rows.width(), &mut shuffler)
        });
        let trees = trees.into_iter().collect::<Result<Vec<_>, _>>()?;
        let trees = TreePredictor::mean(rows.width(), TreeOutput::MeanOfNumbers, trees)?;
        let is_one_leaf = trees.leaves() == trees.trees().len();
        let predictor = IsolationPredictor::new(trees, samples as u32, THRESHOLD);
        let predictor = match self.contamination {
            Some(share) => {
                let threshold = quantile(scores(&predictor, rows)?, 1.0 - share);
                predictor.with_threshold(threshold)
            }
            None => predictor,
        };
        let warning = is_one_leaf.then(|| {
            "all rows that were drawn are alike, so no row is stranger than another; use more rows or features".to_owned()
        });
        Ok(Fitted { predictor: predictor.into(), warning })
    }
}

/// So many of the rows, each at most once (R. Floyd's algorithm), in their order.
fn draw(rows: &Rows<'_>, samples: usize, shuffler: &mut Shuffler) -> Vec<Vec<f64>> {
    let mut drawn = BTreeSet::new();
    for last in rows.len() - samples..rows.len() {
        let place = shuffler.below(last as u64 + 1) as usize;
        if !drawn.insert(place) {
            drawn.insert(last);
        }
    }
    drawn
        .into_iter()
        .filter_map(|place| rows.range(place..place + 1).next())
        .map(|(_, row)| row.to_vec())
        .collect()
}

/// A part of the rows that is still to be split.
struct Open {
    start: usize,
    end: usize,
    depth: u32,
    /// The features that may vary in it.
    features: Vec<u32>,
}

/// Grows a tree whose leaves have the lengths of the paths that end there.
fn grow(mut rows: Vec<&[f64]>, width: usize, shuffler: &mut Shuffler) -> Result<Tree, ModelError> {
    let deepest = rows.len().max(2).next_power_of_two().ilog2();
    let mut tree = TreeBuilder::new(1);
    let mut open = vec![Open { start: 0, end: rows.len(), depth: 0, features: (0..width as u32).collect() }];
    while let Some(Open { start, end, depth, mut features }) = open.pop() {
        let part = rows.get_mut(start..end).unwrap_or_default();
        let split =
            if depth < deepest && part.len() > 1 { choose(part, &mut features, shuffler) } else { None };
        let Some(split) = split else {
            tree.leaf(&[f64::from(depth) + path_length(part.len() as u32)])?;
            continue;
        };
        let left = start + partition(part, &split);
        tree.split(split)?;
        // The left side is next.
        open.push(Open { start: left, end, depth: depth + 1, features: features.clone() });
        open.push(Open { start, end: left, depth: depth + 1, features });
    }
    tree.finish()
}

/// A feature that varies and a threshold within its range; none where no feature varies. Those that do not are dropped.
fn choose(rows: &[&[f64]], features: &mut Vec<u32>, shuffler: &mut Shuffler) -> Option<Split> {
    while !features.is_empty() {
        let place = shuffler.below(features.len() as u64) as usize;
        let feature = *features.get(place)?;
        let values = rows.iter().filter_map(|row| row.get(feature as usize).copied());
        let (low, high) = values
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        if low < high {
            let threshold = low + shuffler.fraction() * (high - low);
            let threshold = if threshold < high { threshold } else { low };
            return Some(Split { feature, threshold, missing_left: false });
        }
        features.swap_remove(place);
    }
    None
}

/// Brings the rows of the left side to the front; says how many they are.
fn partition(rows: &mut [&[f64]], split: &Split) -> usize {
    let mut left = 0;
    for place in 0..rows.len() {
        let value = rows.get(place).and_then(|row| row.get(split.feature as usize));
        if value.is_some_and(|value| *value <= split.threshold) {
            rows.swap(place, left);
            left += 1;
        }
    }
    left
}

/// The scores of all rows.
fn scores(predictor: &IsolationPredictor, rows: &Rows<'_>) -> Result<Vec<f64>, TrainError> {
    let parts = over_shards(rows.len(), |range| {
        let mut scores = Vec::with_capacity(range.len());
        for range in blocks(range) {
            let values: Vec<f64> = rows.range(range.clone()).flat_map(|(_, row)| row.to_vec()).collect();
            let block = Array2::from_shape_vec((range.len(), rows.width()), values)
                .map_err(|error| ModelError::Invalid(error.to_string()))?;
            if let Predictions::Findings { numbers, .. } = predictor.find(block.view())? {
                scores.extend(numbers);
            }
        }
        Ok(scores)
    });
    let parts: Result<Vec<Vec<f64>>, ModelError> = parts.into_iter().collect();
    Ok(parts?.concat())
}

#[cfg(test)]
mod tests {
    use super::super::matrix::Matrix;
    use super::*;
    use crate::model::Predictor;

    fn fit(rows: &[Vec<f64>], parameters: &Parameters) -> (Fitted, Vec<usize>) {
        let mut matrix = Matrix::new(rows[0].len());
        rows.iter().for_each(|row| matrix.extend(row));
        let numbers: Vec<u32> = (0..rows.len() as u32).collect();
        let fitted = IsolationForest::new(parameters).fit(&Rows::new(&matrix, &numbers)).expect("a forest");
        let block = Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).expect("a matrix");
        match fitted.predictor.findings(block.view()).expect("findings") {
            Predictions::Findings { index, .. } => (fitted, index),
            _ => panic!("findings"),
        }
    }

    /// Rows on a circle, and one in the middle of nowhere.
    fn circle(count: usize) -> Vec<Vec<f64>> {
        let on = (0..count - 1).map(|row| vec![(row as f64 * 0.7).sin(), (row as f64 * 0.7).cos(), 4.0]);
        on.chain([vec![9.0, -7.0, 4.0]]).collect()
    }

    #[test]
    fn a_row_far_from_all_others_is_the_first_outlier() {
        let (rows, parameters) =
            (circle(400), Parameters { contamination: Some(0.002), ..Parameters::default() });
        let (fitted, index) = fit(&rows, &parameters);
        assert_eq!(fitted.warning, None);
        let outliers: Vec<usize> = (0..400).filter(|row| index[*row] == 1).collect();
        assert_eq!(outliers, [399]);
        // The same seed, the same forest.
        let Predictor::Isolation(first) = fitted.predictor else { panic!("a forest") };
        let Predictor::Isolation(again) = fit(&rows, &parameters).0.predictor else { panic!("a forest") };
        assert_eq!(first, again);
    }

    #[test]
    fn the_share_of_outliers_is_the_one_that_is_given() {
        let parameters = Parameters { contamination: Some(0.1), ..Parameters::default() };
        let (_, index) = fit(&circle(400), &parameters);
        assert_eq!(index.iter().sum::<usize>(), 40);
    }

    #[test]
    fn rows_that_are_all_alike_have_no_outliers_and_a_warning() {
        let (fitted, index) = fit(&vec![vec![1.0, 2.0]; 30], &Parameters::default());
        assert!(fitted.warning.expect("a warning").contains("alike"));
        assert_eq!(index.iter().sum::<usize>(), 0);
        assert_eq!(fit(&[vec![1.0]], &Parameters::default()).1, [0]);
    }

    #[test]
    fn as_many_equal_rows_as_may_be_have_no_outliers() {
        for count in 2..=300 {
            let (_, index) = fit(&vec![vec![1.0]; count], &Parameters::default());
            assert_eq!(index.iter().sum::<usize>(), 0, "{count} rows");
        }
    }
}
