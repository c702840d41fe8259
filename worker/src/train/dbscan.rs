//! DBSCAN: clusters where rows are dense. (M. Ester, H.-P. Kriegel, J. Sander and X. Xu, "A density-based algorithm for discovering
//! clusters in large spatial databases with noise", 1996.)
//!
//! Dense rows and noise are scikit-learn's. A row between the dense rows of two clusters belongs to the nearest of them, in training
//! as in prediction, where scikit-learn has the cluster that came first. Rows are compared along the column that varies most: only
//! those within reach there are compared in all columns, and nothing is held for pairs of rows.

use std::ops::Range;

use mlpipeline_crds::Dbscan as Parameters;

use super::error::TrainError;
use super::learner::{Finder, Fitted};
use super::matrix::Rows;
use super::memory::check_memory;
use super::parallel::over_shards;
use super::scaling::Scaling;
use crate::model::{BINARY_LIMIT, DensityPredictor, MAX_CLASSES, squared_distance};

/// DBSCAN with checked parameters.
#[derive(Clone, Debug)]
pub struct Dbscan {
    eps: f64,
    min_samples: usize,
}

impl Dbscan {
    /// An algorithm with these parameters, which are within their bounds.
    #[must_use]
    pub fn new(parameters: &Parameters) -> Self {
        let min_samples = parameters.min_samples.unwrap_or(Parameters::DEFAULT_MIN_SAMPLES);
        Self {
            eps: parameters.eps.unwrap_or(Parameters::DEFAULT_EPS),
            min_samples: min_samples.unsigned_abs() as usize,
        }
    }
}

impl Finder for Dbscan {
    fn fit(&self, rows: &Rows<'_>) -> Result<Fitted, TrainError> {
        // The rows once more, in another order.
        check_memory(rows.len(), rows.width() * 2 + 2)?;
        let sorted = Sorted::new(rows, self.eps);
        let is_core = |place: usize| sorted.has_neighbors(place, self.min_samples);
        let parts =
            over_shards(rows.len(), |range| range.filter(|place| is_core(*place)).collect::<Vec<_>>());
        let cores: Vec<usize> = parts.into_iter().flatten().collect();
        if cores.is_empty() {
            return Err(TrainError::Data(format!(
                "no row has {} rows within eps {}, itself counted, so there is no cluster; raise eps, lower minSamples, or set scale: \
                 standard",
                self.min_samples, self.eps
            )));
        }
        let (clusters, count) = sorted.clusters(&cores);
        if count >= MAX_CLASSES {
            return Err(TrainError::Data(format!(
                "there are {count} clusters, and a model has fewer than {MAX_CLASSES}; raise eps or minSamples"
            )));
        }
        let size = (cores.len() as u64).saturating_mul(rows.width() as u64 + 1) * 8;
        if size > BINARY_LIMIT {
            return Err(TrainError::Data(format!(
                "a model of dense rows holds them, and {} rows of {} features take {} MiB, of which at most {} MiB can be served; \
                 take a sample of the rows in a prepare step, or fewer features",
                cores.len(),
                rows.width(),
                size >> 20,
                BINARY_LIMIT >> 20
            )));
        }
        // In the order of the rows, so that of equally near ones the first answers.
        let mut placed: Vec<(usize, u32)> =
            cores.iter().map(|core| sorted.number(*core)).zip(clusters).collect();
        placed.sort_unstable();
        let kept: Vec<u32> =
            placed.iter().filter_map(|(number, _)| rows.numbers().get(*number).copied()).collect();
        let values = rows.select(&kept).iter().flat_map(|(_, row)| row.to_vec()).collect();
        let clusters = placed.into_iter().map(|(_, cluster)| cluster).collect();
        let predictor = DensityPredictor::new(rows.width(), values, clusters, count, self.eps)?;
        Ok(Fitted { predictor: predictor.into(), warning: None })
    }
}

/// Rows in the order of the column that varies most.
struct Sorted {
    width: usize,
    /// How far apart neighbours may be, squared.
    reach: f64,
    /// Row after row.
    values: Vec<f64>,
    /// The column.
    keys: Vec<f64>,
    /// Which row each was.
    numbers: Vec<u32>,
}

impl Sorted {
    fn new(rows: &Rows<'_>, eps: f64) -> Self {
        let scaling = Scaling::measure(rows);
        let spreads = scaling.min.iter().zip(&scaling.max).map(|(min, max)| max - min).enumerate();
        let widest =
            spreads.max_by(|ours, theirs| ours.1.total_cmp(&theirs.1)).map_or(0, |(column, _)| column);
        let key = |row: &[f64]| row.get(widest).copied().unwrap_or_default();
        let mut order: Vec<(f64, u32)> = rows.iter().map(|(_, row)| key(&row)).zip(0..).collect();
        order.sort_unstable_by(|ours, theirs| ours.0.total_cmp(&theirs.0).then(ours.1.cmp(&theirs.1)));
        let numbers: Vec<u32> = order.iter().map(|(_, number)| *number).collect();
        let sorted: Vec<u32> =
            numbers.iter().filter_map(|number| rows.numbers().get(*number as usize).copied()).collect();
        let values = rows.select(&sorted).iter().flat_map(|(_, row)| row.to_vec()).collect();
        let keys = order.into_iter().map(|(key, _)| key).collect();
        Self { width: rows.width(), reach: eps * eps, values, keys, numbers }
    }

    fn number(&self, place: usize) -> usize {
        self.numbers.get(place).map_or(0, |number| *number as usize)
    }

    fn row(&self, place: usize) -> &[f64] {
        self.values.get(place * self.width..(place + 1) * self.width).unwrap_or_default()
    }

    fn are_neighbors(&self, one: usize, other: usize) -> bool {
        squared_distance(self.row(one), self.row(other)) <= self.reach
    }

    /// Whether two rows may be neighbours by the column alone.
    fn is_within(&self, one: usize, other: usize) -> bool {
        let key = |place: usize| self.keys.get(place).copied().unwrap_or(f64::INFINITY);
        (key(one) - key(other)).powi(2) <= self.reach
    }

    /// The rows of a range that may be neighbours of a row; the range begins beside it.
    fn near(&self, place: usize, range: Range<usize>) -> impl Iterator<Item = usize> {
        range.take_while(move |other| self.is_within(place, *other))
    }

    /// Whether so many rows are neighbours of one, itself counted.
    fn has_neighbors(&self, place: usize, wanted: usize) -> bool {
        let before = (0..place).rev().take_while(|other| self.is_within(place, *other));
        let near = before.chain(self.near(place, place + 1..self.keys.len()));
        let others = near.filter(|other| self.are_neighbors(place, *other));
        others.take(wanted.saturating_sub(1)).count() + 1 >= wanted
    }

    /// The cluster of each core, from 1 on, and how many there are: cores that are neighbours are of one.
    fn clusters(&self, cores: &[usize]) -> (Vec<u32>, usize) {
        let mut sets = Sets::new(cores.len());
        for (one, core) in cores.iter().enumerate() {
            let others = cores.get(one + 1..).unwrap_or_default().iter().zip(one + 1..);
            for (place, other) in others.take_while(|(place, _)| self.is_within(*core, **place)) {
                // Most cores that are near are known to be of one cluster already.
                if sets.root(one) != sets.root(other) && self.are_neighbors(*core, *place) {
                    sets.join(one, other);
                }
            }
        }
        let roots: Vec<usize> = (0..cores.len()).map(|core| sets.root(core)).collect();
        // Of each set: how many cores it has, and the first row of them.
        let mut found = std::collections::BTreeMap::<usize, (usize, usize)>::new();
        for (root, core) in roots.iter().zip(cores) {
            let entry = found.entry(*root).or_insert((0, usize::MAX));
            *entry = (entry.0 + 1, entry.1.min(self.number(*core)));
        }
        let mut order: Vec<(std::cmp::Reverse<usize>, usize, usize)> =
            found.into_iter().map(|(root, (cores, first))| (std::cmp::Reverse(cores), first, root)).collect();
        order.sort_unstable();
        let numbers: std::collections::BTreeMap<usize, u32> =
            order.iter().map(|(_, _, root)| *root).zip(1..).collect();
        (roots.iter().map(|root| numbers.get(root).copied().unwrap_or_default()).collect(), order.len())
    }
}

/// Disjoint sets of numbers.
struct Sets(Vec<usize>);

impl Sets {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    /// The number that stands for a set.
    fn root(&mut self, mut number: usize) -> usize {
        while let Some(parent) = self.0.get(number).copied().filter(|parent| *parent != number) {
            // Halves the path for the next time.
            let above = self.0.get(parent).copied().unwrap_or(parent);
            if let Some(place) = self.0.get_mut(number) {
                *place = above;
            }
            number = above;
        }
        number
    }

    /// Joins two sets: the lower number stands for both.
    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        if let Some(place) = self.0.get_mut(one.max(other)) {
            *place = one.min(other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::matrix::Matrix;
    use super::*;
    use crate::model::{Predictions, Predictor};

    fn fit(rows: &[[f64; 2]], eps: f64, min_samples: usize) -> Result<(Predictor, Vec<usize>), TrainError> {
        let mut matrix = Matrix::new(2);
        rows.iter().for_each(|row| matrix.extend(row));
        let numbers: Vec<u32> = (0..rows.len() as u32).collect();
        let fitted = Dbscan { eps, min_samples }.fit(&Rows::new(&matrix, &numbers))?;
        let asked = ndarray::arr2(rows);
        let Predictions::Findings { index, .. } = fitted.predictor.findings(asked.view())? else {
            panic!("clusters are findings")
        };
        Ok((fitted.predictor, index))
    }

    #[test]
    fn dense_rows_are_clusters_by_size_and_far_ones_are_noise() {
        let mut rows: Vec<[f64; 2]> = vec![[50.0, 50.0]];
        // A small square, and a long line that no single centre could stand for.
        rows.extend([[0.0, 0.0], [0.0, 0.5], [0.5, 0.0], [0.5, 0.5]]);
        rows.extend((0..40).map(|place| [f64::from(place) * 0.5, 20.0]));
        let (_, index) = fit(&rows, 1.0, 3).expect("clusters");
        assert_eq!(index[0], 0);
        assert_eq!(index[1..5], [2; 4]);
        assert_eq!(index[5..], [1; 40]);
    }

    #[test]
    fn rows_exactly_eps_apart_are_neighbours_and_equal_rows_count() {
        let (_, index) = fit(&[[0.0, 0.0], [3.0, 4.0], [30.0, 0.0]], 5.0, 2).expect("a cluster");
        assert_eq!(index, [1, 1, 0]);
        let (_, index) = fit(&[[1.0, 1.0]; 7], 1e-100, 7).expect("a cluster");
        assert_eq!(index, [1; 7]);
        let (_, index) = fit(&[[1.0, 1.0]], 0.5, 1).expect("a row is a neighbour of itself");
        assert_eq!(index, [1]);
    }

    #[test]
    fn what_has_no_clusters_or_too_many_is_refused_with_advice() {
        let error = fit(&[[0.0, 0.0], [9.0, 0.0]], 0.5, 2).expect_err("no cluster").to_string();
        assert!(error.contains("no row has 2 rows within eps 0.5"), "{error}");
        let many: Vec<[f64; 2]> = (0..1000).map(|row| [f64::from(row), 0.0]).collect();
        let error = fit(&many, 0.5, 1).expect_err("too many").to_string();
        assert!(error.contains("there are 1000 clusters"), "{error}");
    }

    #[test]
    fn the_order_of_the_rows_changes_no_cluster() {
        let rows: Vec<[f64; 2]> = (0..300)
            .map(|row| [(f64::from(row) * 12.9898).sin() * 3.0, (f64::from(row) * 78.233).sin() * 3.0])
            .collect();
        let (_, index) = fit(&rows, 0.3, 5).expect("clusters");
        let reversed: Vec<[f64; 2]> = rows.iter().rev().copied().collect();
        let (_, other) = fit(&reversed, 0.3, 5).expect("clusters");
        let same = |a: usize, b: usize| (index[a] == index[b]) == (other[299 - a] == other[299 - b]);
        assert!((0..300).all(|a| (0..300).all(|b| same(a, b))));
    }
}
