//! Mini-batches: centres that move by some rows at a time, drawn anew for each step, in place of all rows.
//!
//! D. Sculley, "Web-scale k-means clustering" (2010). As in scikit-learn's MiniBatchKMeans, the first centres come from three batches of rows,
//! centres that few rows are near to begin again at rows of a batch, and it ends when the mean distance, smoothed over batches, does not
//! become smaller for ten of them.

use super::super::error::TrainError;
use super::super::matrix::Rows;
use super::super::shuffle::Shuffler;
use super::first_centers::first_centers;
use super::iterate::{Clustering, compared, iterate, measured};

/// So many batches without a smaller mean distance are the end.
const MOST_WITHOUT_GAIN: usize = 10;

/// The first centres come from so many batches.
const FIRST_BATCHES: usize = 3;

/// A centre begins again where it has less than this share of the rows that the largest has.
const SMALLEST_SHARE: f64 = 0.01;

/// Centres that batches move.
struct Moving {
    centers: Vec<Vec<f64>>,
    /// How many rows each was the mean of so far.
    weights: Vec<f64>,
    /// Rows since centres last began again.
    rows: usize,
}

/// How far a run has come.
struct Progress {
    /// The mean squared distance to the nearest centre, smoothed over batches.
    smoothed: Option<f64>,
    least: f64,
    without_gain: usize,
}

/// Learns the centres from batches of so many rows; at most as many of them as `passes` over all rows have. `enough` is of [`iterate`],
/// which has the last word where clusters stay without rows.
pub(super) fn by_batches(
    rows: &Rows<'_>,
    clusters: usize,
    batch: usize,
    passes: usize,
    enough: f64,
    shuffler: &mut Shuffler,
) -> Result<Clustering, TrainError> {
    let batch = batch.min(rows.len());
    let sample = draw(rows, (FIRST_BATCHES * batch).max(FIRST_BATCHES * clusters), shuffler);
    let drawn = rows.select(&sample);
    // A sample may lack rows that differ, which all rows have.
    let first = match first_centers(&drawn, clusters, shuffler) {
        Err(TrainError::Data(_)) => first_centers(rows, clusters, shuffler)?,
        first => first?,
    };
    let mut moving = Moving { weights: vec![0.0; clusters], centers: first, rows: 0 };
    let mut progress = Progress { smoothed: None, least: f64::INFINITY, without_gain: 0 };
    let steps = passes.saturating_mul(rows.len()).div_ceil(batch.max(1));
    let mut converged = false;
    for _ in 0..steps {
        let numbers = draw(rows, batch, shuffler);
        let mean = moving.step(&rows.select(&numbers), shuffler);
        if progress.is_over(mean, batch, rows.len()) {
            converged = true;
            break;
        }
    }
    let found = measured(rows, moving.centers, converged);
    // Few rows that are unlike all others may be in no batch. Over all rows, a cluster without one begins again at the farthest.
    if found.sizes.contains(&0) {
        return Ok(iterate(rows, found.centers, passes, enough));
    }
    Ok(found)
}

/// Rows of these places, drawn with repetition.
fn draw(rows: &Rows<'_>, count: usize, shuffler: &mut Shuffler) -> Vec<u32> {
    let place = |shuffler: &mut Shuffler| shuffler.below(rows.len() as u64) as usize;
    let mut places: Vec<usize> = (0..count).map(|_| place(shuffler)).collect();
    // In their order, as a file of rows is read.
    places.sort_unstable();
    places.into_iter().filter_map(|place| rows.numbers().get(place).copied()).collect()
}

impl Moving {
    /// Moves the centres by the rows of one batch, and gives the mean squared distance to the centres before.
    fn step(&mut self, batch: &Rows<'_>, shuffler: &mut Shuffler) -> f64 {
        let compared = compared(batch.width(), &self.centers);
        let mut distances = 0.0;
        for (_, row) in batch.range(0..batch.len()) {
            let (cluster, distance, _) = compared.nearest(&row);
            distances += distance;
            let (Some(center), Some(weight)) = (self.centers.get_mut(cluster), self.weights.get_mut(cluster))
            else {
                continue;
            };
            *weight += 1.0;
            // The mean of all rows that it has taken so far.
            center.iter_mut().zip(row.iter()).for_each(|(own, value)| *own += (value - *own) / *weight);
        }
        self.begin_again(batch, shuffler);
        distances / batch.len().max(1) as f64
    }

    /// Puts centres that hardly any row is near to at rows of the batch, at most half of it, the least of them first.
    fn begin_again(&mut self, batch: &Rows<'_>, shuffler: &mut Shuffler) {
        self.rows += batch.len();
        let is_empty = self.weights.contains(&0.0);
        if !is_empty && self.rows < 10 * self.centers.len() {
            return;
        }
        self.rows = 0;
        let most = self.weights.iter().copied().fold(0.0, f64::max);
        let mut few: Vec<usize> = (0..self.centers.len())
            .filter(|place| self.weights.get(*place).is_some_and(|weight| *weight < SMALLEST_SHARE * most))
            .collect();
        few.sort_by(|left, right| {
            self.weights
                .get(*left)
                .partial_cmp(&self.weights.get(*right))
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        few.truncate(batch.len() / 2);
        let others = self.weights.iter().enumerate().filter(|(place, _)| !few.contains(place));
        let least = others.map(|(_, weight)| *weight).fold(f64::INFINITY, f64::min);
        let mut places: Vec<usize> = (0..batch.len()).collect();
        shuffler.shuffle(&mut places);
        for (place, from) in few.into_iter().zip(places) {
            let Some((_, row)) = batch.range(from..from + 1).next() else { continue };
            if let (Some(center), Some(weight)) = (self.centers.get_mut(place), self.weights.get_mut(place)) {
                *center = row.to_vec();
                *weight = if least.is_finite() { least } else { 1.0 };
            }
        }
    }
}

impl Progress {
    /// Takes the mean distance of one more batch; whether it has not become smaller for long enough.
    fn is_over(&mut self, mean: f64, batch: usize, all: usize) -> bool {
        let share = (2.0 * batch as f64 / (all + 1) as f64).min(1.0);
        let smoothed = self.smoothed.map_or(mean, |before| before * (1.0 - share) + mean * share);
        self.smoothed = Some(smoothed);
        if smoothed < self.least {
            (self.least, self.without_gain) = (smoothed, 0);
        } else {
            self.without_gain += 1;
        }
        self.without_gain >= MOST_WITHOUT_GAIN
    }
}
