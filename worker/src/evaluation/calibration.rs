//! Whether a probability of 0.8 is right in eight of ten cases.

use serde::Serialize;

/// How many bins probabilities are put into.
pub(super) const BINS: usize = 10;

/// The rows whose probability is in one bin.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CalibrationBin {
    /// The mean of the probabilities.
    pub predicted: f64,
    /// The share of the rows of which it was true.
    pub share: f64,
    /// How many rows.
    pub rows: u64,
}

/// Bins of equal width from 0 to 1 as scikit-learn's `calibration_curve` makes them, those that have rows. A probability on an
/// edge is in the bin below.
pub(super) fn bins(pairs: impl Iterator<Item = (f64, bool)>, count: usize) -> Vec<CalibrationBin> {
    let edges: Vec<f64> = (1..count).map(|edge| edge as f64 * (1.0 / count as f64)).collect();
    let mut sums = vec![(0.0, 0_u64, 0_u64); count];
    for (probability, is_true) in pairs {
        let bin = edges.partition_point(|edge| *edge < probability);
        if let Some((sum, hits, rows)) = sums.get_mut(bin) {
            *sum += probability;
            *hits += u64::from(is_true);
            *rows += 1;
        }
    }
    let filled = sums.into_iter().filter(|(_, _, rows)| *rows > 0);
    filled
        .map(|(sum, hits, rows)| CalibrationBin {
            predicted: sum / rows as f64,
            share: hits as f64 / rows as f64,
            rows,
        })
        .collect()
}
