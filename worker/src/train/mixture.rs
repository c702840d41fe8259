//! Gaussian mixtures by expectation and maximisation, from clusters of k-means.
//!
//! A. Dempster, N. Laird, D. Rubin, "Maximum likelihood from incomplete data via the EM algorithm" (1977); stopping rule, added
//! variance and beginnings are those of scikit-learn's GaussianMixture with full covariances.

use mlpipeline_crds::{GaussianMixture as Parameters, KMeans as KMeansParameters};

use super::error::TrainError;
use super::k_means::{self, KMeans};
use super::learner::{Finder, Fitted};
use super::matrix::Rows;
use super::memory::check_covariances;
use super::parallel::{over_items, over_shards, sums_at_once};
use super::triangular::{cholesky, inverse};
use super::vector::add;
use crate::model::{Centers, MAX_NUMBERS, MixturePredictor};

/// What keeps a cluster without rows from a division by 0; scikit-learn's number.
const LEAST_ROWS: f64 = 10.0 * f64::EPSILON;

/// Beside the sums of shards: their total, the best mixture so far, the last one, the new one, and the one that rows are shared by.
const TRIANGLES: usize = 5;

/// Gaussian mixtures with checked parameters.
#[derive(Clone, Debug)]
pub struct GaussianMixture {
    clusters: i32,
    beginnings: i64,
    max_iterations: usize,
    tol: f64,
    added: f64,
    seed: i64,
}

/// What is known of the distributions.
#[derive(Clone, Debug)]
struct Mixture {
    weights: Vec<f64>,
    means: Vec<Vec<f64>>,
    /// Lower triangles, row by row.
    whitening: Vec<Vec<f64>>,
}

/// Sums over rows, each counted by its share in a distribution, of their distances from that distribution's earlier mean.
#[derive(Clone, Debug)]
struct Sums {
    shares: Vec<f64>,
    /// One row for each distribution.
    distances: Vec<f64>,
    /// One lower triangle for each distribution.
    products: Vec<f64>,
    log_likelihood: f64,
}

/// Says how much of a row each distribution has, and the logarithm of its likelihood. The second argument has room for a row.
type Share<'a> = dyn Fn(&[f64], &mut [f64], &mut [f64]) -> f64 + Sync + 'a;

impl GaussianMixture {
    /// An algorithm with these parameters, which are within their bounds.
    #[must_use]
    pub fn new(parameters: &Parameters) -> Self {
        let iterations = parameters.max_iterations.unwrap_or(Parameters::DEFAULT_MAX_ITERATIONS);
        Self {
            clusters: parameters.n_components.unwrap_or(Parameters::DEFAULT_N_COMPONENTS),
            beginnings: parameters.n_init.unwrap_or(Parameters::DEFAULT_N_INIT).into(),
            max_iterations: iterations.unsigned_abs() as usize,
            tol: parameters.tol.unwrap_or(Parameters::DEFAULT_TOL),
            added: parameters.reg_covar.unwrap_or(Parameters::DEFAULT_REG_COVAR),
            seed: parameters.seed.unwrap_or(Parameters::DEFAULT_SEED),
        }
    }

    /// From the clusters that k-means finds with a seed to the end: the mixture, the mean logarithm of the rows' likelihood, and
    /// whether it settled.
    fn begin(&self, rows: &Rows<'_>, seed: i64) -> Result<(Mixture, f64, bool), TrainError> {
        let parameters = KMeansParameters {
            n_clusters: Some(self.clusters),
            seed: Some(seed),
            ..KMeansParameters::default()
        };
        let means = KMeans::new(&parameters).centers(rows)?;
        let centers = Centers::new(rows.width(), means.iter().map(Vec::as_slice));
        let first = sums(rows, &means, &|row, _, shares| {
            shares.fill(0.0);
            shares.iter_mut().skip(centers.nearest(row).0).take(1).for_each(|share| *share = 1.0);
            0.0
        });
        let mut mixture = self.maximize(&first, &means)?;
        let mut before = f64::NEG_INFINITY;
        for _ in 0..self.max_iterations {
            let predictor = mixture.predictor();
            let expected = sums(rows, &mixture.means, &|row, distance, shares| {
                predictor.log_likelihoods(row, distance, shares);
                let most = shares.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                shares.iter_mut().for_each(|share| *share = (*share - most).exp());
                let sum: f64 = shares.iter().sum();
                shares.iter_mut().for_each(|share| *share /= sum);
                most + sum.ln()
            });
            let mean = expected.log_likelihood / rows.len() as f64;
            if !mean.is_finite() {
                return Err(TrainError::Numbers("the likelihood of the rows is not finite".to_owned()));
            }
            mixture = self.maximize(&expected, &mixture.means)?;
            if (mean - before).abs() < self.tol {
                return Ok((mixture, mean, true));
            }
            before = mean;
        }
        Ok((mixture, before, false))
    }

    /// The distributions under which the rows are likeliest, with these shares. `from` are the means that distances are from.
    fn maximize(&self, sums: &Sums, from: &[Vec<f64>]) -> Result<Mixture, TrainError> {
        let width = from.first().map_or(1, Vec::len).max(1);
        let total: f64 = sums.shares.iter().map(|share| share + LEAST_ROWS).sum();
        let weights = sums.shares.iter().map(|share| (share + LEAST_ROWS) / total).collect();
        let (mut means, mut whitening) = (Vec::new(), Vec::new());
        let parts =
            sums.distances.chunks_exact(width).zip(sums.products.chunks_exact(width * (width + 1) / 2));
        for ((from, share), (distances, products)) in from.iter().zip(&sums.shares).zip(parts) {
            let rows = share + LEAST_ROWS;
            let moved: Vec<f64> = distances.iter().map(|sum| sum / rows).collect();
            means.push(from.iter().zip(&moved).map(|(from, moved)| from + moved).collect());
            let mut covariance: Vec<f64> = products.iter().map(|sum| sum / rows).collect();
            let mut rest = covariance.as_mut_slice();
            for (place, own) in moved.iter().enumerate() {
                let Some((row, more)) = rest.split_at_mut_checked(place + 1) else { break };
                add(row, -own, &moved);
                row.last_mut().into_iter().for_each(|variance| *variance += self.added);
                rest = more;
            }
            let whitened = cholesky(&covariance, width).and_then(|factor| inverse(&factor, width));
            whitening.push(whitened.ok_or_else(|| {
                TrainError::Data(
                    "a cluster's rows do not differ in every direction, so its distribution has no density; raise regCovar, lower \
                     nComponents, or leave out columns that follow from others"
                        .to_owned(),
                )
            })?);
        }
        Ok(Mixture { weights, means, whitening })
    }
}

impl Mixture {
    fn predictor(&self) -> MixturePredictor {
        MixturePredictor::new(&self.weights, self.means.clone(), self.whitening.clone())
    }

    /// The distribution of the largest weight first.
    fn numbered(self) -> MixturePredictor {
        let mut parts: Vec<_> = self.weights.into_iter().zip(self.means).zip(self.whitening).collect();
        // The sort is stable: equal weights stay in the order of their clusters.
        parts.sort_by(|left, right| right.0.0.total_cmp(&left.0.0));
        let (head, whitening): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        let (weights, means): (Vec<f64>, Vec<_>) = head.into_iter().unzip();
        MixturePredictor::new(&weights, means, whitening)
    }
}

impl Finder for GaussianMixture {
    fn fit(&self, rows: &Rows<'_>) -> Result<Fitted, TrainError> {
        let (clusters, width) = (self.clusters.unsigned_abs() as usize, rows.width());
        if clusters.saturating_mul(width * (width + 1) / 2) > MAX_NUMBERS {
            return Err(TrainError::Data(format!(
                "the covariances of {clusters} clusters of {width} columns are more than the {MAX_NUMBERS} numbers that a model holds; \
                 lower nComponents, or use fewer columns"
            )));
        }
        let numbers = clusters * width * (width + 1) / 2;
        let parts = sums_at_once(numbers).min(over_shards(rows.len(), |_| ()).len()) + TRIANGLES;
        check_covariances(rows.matrix(), rows.len(), parts.saturating_mul(numbers))?;
        let mut best: Option<(Mixture, f64, bool)> = None;
        for beginning in 0..self.beginnings {
            let found = self.begin(rows, self.seed.saturating_add(beginning))?;
            if best.as_ref().is_none_or(|best| found.1 > best.1) {
                best = Some(found);
            }
        }
        let none = || TrainError::Numbers("the likelihood of the rows is not finite".to_owned());
        let (mixture, _, converged) = best.ok_or_else(none)?;
        let warning = (!converged).then(|| {
            format!("the mixture did not settle within maxIterations {}; raise it", self.max_iterations)
        });
        Ok(Fitted { predictor: mixture.numbered().into(), warning })
    }

    fn row_bytes(&self, _width: usize) -> Option<usize> {
        // The clusters that it begins with are those of k-means.
        Some(k_means::ROW_BYTES)
    }
}

impl Sums {
    fn new(count: usize, width: usize) -> Self {
        let triangle = width * (width + 1) / 2;
        let zeros = |length: usize| vec![0.0; length];
        Self {
            shares: zeros(count),
            distances: zeros(count * width),
            products: zeros(count * triangle),
            log_likelihood: 0.0,
        }
    }

    /// Adds a row's distance from a distribution's mean.
    fn add(&mut self, cluster: usize, share: f64, distance: &[f64]) {
        let (width, triangle) = (distance.len(), distance.len() * (distance.len() + 1) / 2);
        self.shares.iter_mut().skip(cluster).take(1).for_each(|sum| *sum += share);
        add(self.distances.get_mut(cluster * width..).unwrap_or_default(), share, distance);
        let mut rest = self.products.get_mut(cluster * triangle..).unwrap_or_default();
        for (place, own) in distance.iter().enumerate() {
            let Some((row, more)) = rest.split_at_mut_checked(place + 1) else { break };
            add(row, share * own, distance);
            rest = more;
        }
    }

    fn merge(&mut self, other: &Self) {
        add(&mut self.shares, 1.0, &other.shares);
        add(&mut self.distances, 1.0, &other.distances);
        add(&mut self.products, 1.0, &other.products);
        self.log_likelihood += other.log_likelihood;
    }
}

/// The sums of all rows, some shards at a time, so that many clusters of many features do not take all memory.
fn sums(rows: &Rows<'_>, from: &[Vec<f64>], share: &Share<'_>) -> Sums {
    let (count, width) = (from.len(), rows.width());
    let shards = over_shards(rows.len(), |range| range);
    let wave = sums_at_once(count * width * (width + 1) / 2);
    let mut all = Sums::new(count, width);
    for shards in shards.chunks(wave) {
        let parts = over_items(shards.to_vec(), |range| {
            let mut part = Sums::new(count, width);
            let (mut distance, mut shares) = (vec![0.0; width], vec![0.0; count]);
            for (_, row) in rows.range(range) {
                part.log_likelihood += share(&row, &mut distance, &mut shares);
                for (cluster, (from, share)) in from.iter().zip(&shares).enumerate() {
                    // A share so small changes no sum.
                    if *share > f64::MIN_POSITIVE {
                        for (place, (value, from)) in distance.iter_mut().zip(row.iter().zip(from)) {
                            *place = value - from;
                        }
                        part.add(cluster, *share, &distance);
                    }
                }
            }
            part
        });
        parts.iter().for_each(|part| all.merge(part));
    }
    all
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::super::matrix::Matrix;
    use super::*;
    use crate::model::{Predictions, Predictor};

    fn fit(rows: &[Vec<f64>], parameters: &Parameters) -> Result<Fitted, TrainError> {
        let mut matrix = Matrix::new(rows[0].len());
        rows.iter().for_each(|row| matrix.extend(row));
        let numbers: Vec<u32> = (0..rows.len() as u32).collect();
        GaussianMixture::new(parameters).fit(&Rows::new(&matrix, &numbers))
    }

    /// A long cluster across a round one.
    fn crossed() -> Vec<Vec<f64>> {
        let wave = |row: f64, by: f64| (row * by).sin();
        let long = (0..300).map(f64::from).map(|row| vec![9.0 * wave(row, 0.71), 0.2 * wave(row, 1.3)]);
        let round = (0..200).map(f64::from).map(|row| vec![wave(row, 0.9), 6.0 + wave(row, 1.7)]);
        long.chain(round).collect()
    }

    #[test]
    fn clusters_have_shapes_of_their_own() {
        let rows = crossed();
        let parameters = Parameters { n_components: Some(2), n_init: Some(5), ..Parameters::default() };
        let fitted = fit(&rows, &parameters).expect("a mixture");
        assert_eq!(fitted.warning, None);
        let block = Array2::from_shape_vec((rows.len(), 2), rows.concat()).expect("a matrix");
        let Predictions::Findings { index, numbers } =
            fitted.predictor.findings(block.view()).expect("findings")
        else {
            panic!("findings")
        };
        let expected: Vec<usize> = (0..500).map(|row| usize::from(row >= 300)).collect();
        assert_eq!(index, expected);
        assert!(numbers.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-12));
    }

    #[test]
    fn rows_in_a_line_need_some_added_variance() {
        let line: Vec<Vec<f64>> = (0..50).map(|row| vec![f64::from(row), 2.0 * f64::from(row)]).collect();
        let with = |added| fit(&line, &Parameters { reg_covar: Some(added), ..Parameters::default() });
        let error = with(0.0).expect_err("no density").to_string();
        assert!(error.contains("raise regCovar"), "{error}");
        let fitted = with(1e-6).expect("a mixture");
        assert!(matches!(fitted.predictor, Predictor::Mixture(_)));
    }

    #[test]
    fn fewer_different_rows_than_clusters_are_refused() {
        let rows = vec![vec![1.0], vec![2.0], vec![1.0]];
        let error = fit(&rows, &Parameters { n_components: Some(3), ..Parameters::default() });
        let error = error.expect_err("two different rows").to_string();
        assert!(error.contains("only 2 different rows"), "{error}");
    }
}
