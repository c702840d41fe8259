//! k-means: clusters around means, by Lloyd's iterations from first centres that k-means++ draws, or by mini-batches.
//!
//! What is learned is what scikit-learn's KMeans learns: the same stopping rule, and clusters that lose all rows begin again at the
//! farthest ones. Draws are ours, so that the seed gives the same clusters on every machine; clusters are numbered by size.

mod first_centers;
mod iterate;
mod mini_batch;

use mlpipeline_crds::KMeans as Parameters;

use self::first_centers::first_centers;
use self::iterate::{Clustering, iterate};
use self::mini_batch::by_batches;
use super::error::TrainError;
use super::learner::{Finder, Fitted};
use super::matrix::Rows;
use super::scaling::Scaling;
use super::shuffle::Shuffler;
use crate::model::CenterPredictor;

/// k-means with checked parameters.
#[derive(Clone, Debug)]
pub struct KMeans {
    clusters: usize,
    beginnings: u64,
    max_iterations: usize,
    tol: f64,
    seed: i64,
    /// How many rows move the centres at a time; all where absent.
    batch: Option<usize>,
}

impl KMeans {
    /// An algorithm with these parameters, which are within their bounds.
    #[must_use]
    pub fn new(parameters: &Parameters) -> Self {
        let whole = |value: Option<i32>, default: i32| value.unwrap_or(default).unsigned_abs();
        Self {
            clusters: whole(parameters.n_clusters, Parameters::DEFAULT_N_CLUSTERS) as usize,
            beginnings: u64::from(whole(parameters.n_init, Parameters::DEFAULT_N_INIT)),
            max_iterations: whole(parameters.max_iterations, Parameters::DEFAULT_MAX_ITERATIONS) as usize,
            tol: parameters.tol.unwrap_or(Parameters::DEFAULT_TOL),
            seed: parameters.seed.unwrap_or(Parameters::DEFAULT_SEED),
            batch: parameters.batch_size.map(|rows| rows.unsigned_abs() as usize),
        }
    }

    /// The centres of the clusters, in no particular order.
    pub(in crate::train) fn centers(&self, rows: &Rows<'_>) -> Result<Vec<Vec<f64>>, TrainError> {
        Ok(self.cluster(rows)?.centers)
    }

    /// The best of all beginnings.
    fn cluster(&self, rows: &Rows<'_>) -> Result<Clustering, TrainError> {
        if rows.len() < self.clusters {
            return Err(TrainError::Data(format!(
                "there are to be {} clusters, and there are {} rows to learn from; lower their number, or use more rows",
                self.clusters,
                rows.len()
            )));
        }
        let enough = self.tol * mean_variance(&Scaling::measure(rows));
        let mut best: Option<Clustering> = None;
        for beginning in 0..self.beginnings {
            let mut shuffler = Shuffler::stream(self.seed, beginning);
            let found = match self.batch {
                Some(batch) => {
                    by_batches(rows, self.clusters, batch, self.max_iterations, enough, &mut shuffler)?
                }
                None => {
                    let first = first_centers(rows, self.clusters, &mut shuffler)?;
                    iterate(rows, first, self.max_iterations, enough)
                }
            };
            // Of equally good ones, the first.
            if best.as_ref().is_none_or(|best| found.inertia < best.inertia) {
                best = Some(found);
            }
        }
        best.filter(|best| best.inertia.is_finite())
            .ok_or_else(|| TrainError::Numbers("the distances between rows are not finite".to_owned()))
    }
}

/// The mean over all features of the variance; a feature of one value has none.
fn mean_variance(scaling: &Scaling) -> f64 {
    let columns = scaling.deviations.iter().zip(scaling.min.iter().zip(&scaling.max));
    let varied = columns.filter(|(_, (min, max))| min < max);
    varied.map(|(deviation, _)| deviation * deviation).sum::<f64>() / scaling.deviations.len().max(1) as f64
}

/// What is held of each row, in bytes: what is known of its cluster, and its distance from the first centres.
pub(super) const ROW_BYTES: usize = 4 * size_of::<f64>();

impl Finder for KMeans {
    fn fit(&self, rows: &Rows<'_>) -> Result<Fitted, TrainError> {
        let Clustering { centers, sizes, converged, .. } = self.cluster(rows)?;
        let mut numbered: Vec<(u64, Vec<f64>)> = sizes.into_iter().zip(centers).collect();
        // The sort is stable: clusters of one size stay in the order of their drawing.
        numbered.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
        let predictor = CenterPredictor::new(numbered.into_iter().map(|(_, center)| center).collect())?;
        let warning = (!converged).then(|| {
            format!("k-means did not settle within maxIterations {}; raise it", self.max_iterations)
        });
        Ok(Fitted { predictor: predictor.into(), warning })
    }

    fn row_bytes(&self, _width: usize) -> Option<usize> {
        Some(ROW_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::super::matrix::Matrix;
    use super::*;

    fn algorithm(clusters: i32, more: &Parameters) -> KMeans {
        KMeans::new(&Parameters { n_clusters: Some(clusters), ..more.clone() })
    }

    fn matrix(rows: &[Vec<f64>]) -> Matrix {
        let mut matrix = Matrix::new(rows[0].len());
        rows.iter().for_each(|row| matrix.extend(row));
        matrix
    }

    fn all(matrix: &Matrix) -> Vec<u32> {
        (0..matrix.rows() as u32).collect()
    }

    /// Rows around the corners of a square, so many at the first and fewer at each other.
    fn corners(count: usize) -> Matrix {
        let rows = (0..4_usize).flat_map(|corner| {
            (0..count - corner).map(move |place| {
                let wave = (place as f64 * 1.7).sin();
                vec![10.0 * (corner % 2) as f64 + wave, 10.0 * (corner / 2) as f64 + wave.cos()]
            })
        });
        matrix(&rows.collect::<Vec<_>>())
    }

    #[test]
    fn groups_that_lie_apart_are_found_and_numbered_by_their_size() {
        let matrix = corners(3000);
        let rows = all(&matrix);
        let fitted = algorithm(4, &Parameters::default()).fit(&Rows::new(&matrix, &rows)).expect("clusters");
        assert_eq!(fitted.warning, None);
        let crate::model::Predictor::Centers(found) = fitted.predictor else { panic!("centres") };
        for (number, center) in found.centers().enumerate() {
            assert!((center[0] - 10.0 * (number % 2) as f64).abs() < 0.5, "{number}: {center:?}");
            assert!((center[1] - 10.0 * (number / 2) as f64).abs() < 1.0, "{number}: {center:?}");
        }
    }

    #[test]
    fn pruned_iterations_end_where_plain_ones_do() {
        let rows: Vec<Vec<f64>> = (0..5000)
            .map(|row| (0..3).map(|column| (f64::from(row * (column + 3)) * 0.37).sin()).collect())
            .collect();
        let matrix = matrix(&rows);
        let numbers = all(&matrix);
        let view = Rows::new(&matrix, &numbers);
        let first = first_centers(&view, 12, &mut Shuffler::new(3)).expect("centres");
        let mut plain = first.clone();
        let mut before = Vec::new();
        loop {
            let centers = crate::model::Centers::new(3, plain.iter().map(Vec::as_slice));
            let nearest: Vec<usize> = rows.iter().map(|row| centers.nearest(row).0).collect();
            if nearest == before {
                break;
            }
            for (cluster, center) in plain.iter_mut().enumerate() {
                let own: Vec<&Vec<f64>> = rows
                    .iter()
                    .zip(&nearest)
                    .filter(|(_, near)| **near == cluster)
                    .map(|pair| pair.0)
                    .collect();
                for (column, value) in center.iter_mut().enumerate() {
                    *value = own.iter().map(|row| row[column]).sum::<f64>() / own.len() as f64;
                }
            }
            before = nearest;
        }
        let found = iterate(&view, first, 1000, 0.0);
        assert!(found.converged);
        for (found, expected) in found.centers.iter().flatten().zip(plain.iter().flatten()) {
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        }
    }

    #[test]
    fn a_cluster_that_loses_all_rows_begins_again_at_the_farthest() {
        let matrix = corners(500);
        let rows = all(&matrix);
        let far = vec![vec![1e6, 1e6], vec![2e6, 0.0], vec![0.0, 0.0], vec![5.0, 5.0]];
        let found = iterate(&Rows::new(&matrix, &rows), far, 300, 0.0);
        assert!(found.sizes.iter().all(|size| *size > 0), "{:?}", found.sizes);
        assert_eq!(found.sizes.iter().sum::<u64>(), rows.len() as u64);
    }

    #[test]
    fn batches_find_the_groups_that_all_rows_do() {
        let matrix = corners(3000);
        let rows = all(&matrix);
        let view = Rows::new(&matrix, &rows);
        let by_all = algorithm(4, &Parameters::default()).cluster(&view).expect("clusters");
        for batch_size in [20, 1024, 1_000_000] {
            let more = Parameters { batch_size: Some(batch_size), ..Parameters::default() };
            let found = algorithm(4, &more).cluster(&view).expect("clusters");
            assert!(
                found.inertia < by_all.inertia * 1.1,
                "{batch_size}: {} {}",
                found.inertia,
                by_all.inertia
            );
            let again = algorithm(4, &more).cluster(&view).expect("clusters");
            assert_eq!(found.centers, again.centers);
        }
    }

    #[test]
    fn batches_of_rows_that_hardly_differ_find_those_that_do() {
        let mut rows = vec![vec![1.0, 1.0]; 2000];
        rows[1234] = vec![50.0, 2.0];
        let matrix = matrix(&rows);
        let numbers = all(&matrix);
        let more = Parameters { batch_size: Some(10), ..Parameters::default() };
        let found = algorithm(2, &more).cluster(&Rows::new(&matrix, &numbers)).expect("two different rows");
        let mut sizes = found.sizes;
        sizes.sort_unstable();
        assert_eq!(sizes, [1, 1999]);
    }

    #[test]
    fn too_few_rows_or_different_rows_are_refused() {
        let same = matrix(&vec![vec![1.0, 2.0]; 50]);
        let rows = all(&same);
        let view = Rows::new(&same, &rows);
        let fit = |clusters| algorithm(clusters, &Parameters::default()).fit(&view);
        let error = fit(2).expect_err("one row only").to_string();
        assert!(error.contains("2 clusters") && error.contains("only 1 different"), "{error}");
        let error = fit(51).expect_err("too few rows").to_string();
        assert!(error.contains("51 clusters, and there are 50 rows"), "{error}");
        assert!(fit(1).is_ok());
    }

    #[test]
    fn rows_whose_distances_are_0_but_for_their_digits_are_to_be_scaled() {
        let tiny = matrix(&[vec![1e-170], vec![2e-170], vec![3e-170]]);
        let rows = all(&tiny);
        let fitted = algorithm(2, &Parameters::default()).fit(&Rows::new(&tiny, &rows));
        let error = fitted.expect_err("no distances").to_string();
        assert!(
            error.contains("only 1 can be distinguished") && error.contains("set scale: standard"),
            "{error}"
        );
    }

    #[test]
    fn a_seed_gives_one_result_and_more_beginnings_none_that_is_worse() {
        let rows: Vec<Vec<f64>> =
            (0..3000).map(|row| vec![(f64::from(row) * 0.7).sin(), (f64::from(row) * 1.3).cos()]).collect();
        let matrix = matrix(&rows);
        let numbers = all(&matrix);
        let view = Rows::new(&matrix, &numbers);
        let found = |seed, n_init| {
            let more = Parameters { seed: Some(seed), n_init: Some(n_init), ..Parameters::default() };
            algorithm(9, &more).cluster(&view).expect("clusters")
        };
        assert_eq!(found(1, 1).centers, found(1, 1).centers);
        assert_ne!(found(1, 1).centers, found(2, 1).centers);
        assert!(found(1, 5).inertia <= found(1, 1).inertia);
    }
}
