//! The centres of clusters, and which one is nearest to a row.
//!
//! Owns the distances, for training and prediction alike, so that both agree to the last bit. Every distance is of differences,
//! and not of products: columns far from 0 lose no digits.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::{Finding, MAX_CLASSES, MAX_COLUMNS, ModelError, Predictions};
use crate::exact::Row;

/// Centres that are compared with at once: their sums stay in the processor's registers.
const LANES: usize = 8;

/// Centres in an order that processors compare quickly.
#[derive(Clone, Debug, PartialEq)]
pub struct Centers {
    width: usize,
    count: usize,
    /// Groups of [`LANES`] centres; in a group, one feature of all of them after the other.
    lanes: Vec<[f64; LANES]>,
}

impl Centers {
    /// These centres, of so many features each.
    #[must_use]
    pub fn new<'a>(width: usize, centers: impl ExactSizeIterator<Item = &'a [f64]>) -> Self {
        let count = centers.len();
        let mut lanes = vec![[0.0; LANES]; count.div_ceil(LANES) * width];
        for (number, center) in centers.enumerate() {
            let group = lanes.get_mut(number / LANES * width..).unwrap_or_default();
            for (lane, value) in group.iter_mut().zip(center) {
                if let Some(place) = lane.get_mut(number % LANES) {
                    *place = *value;
                }
            }
        }
        Self { width, count, lanes }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Calls `each` with the number of every centre and its squared distance from a row, in order.
    #[inline]
    pub fn distances(&self, row: &[f64], mut each: impl FnMut(usize, f64)) {
        for (group, lanes) in self.lanes.chunks_exact(self.width.max(1)).enumerate() {
            let mut sums = [0.0; LANES];
            for (value, lane) in row.iter().zip(lanes) {
                for (sum, center) in sums.iter_mut().zip(lane) {
                    let difference = value - center;
                    *sum += difference * difference;
                }
            }
            let first = group * LANES;
            for (place, sum) in sums.into_iter().enumerate().take(self.count - first) {
                each(first + place, sum);
            }
        }
    }

    /// The nearest centre (the first of equals), its squared distance, and that of the next one; infinite where there is none.
    #[must_use]
    #[inline]
    pub fn nearest(&self, row: &[f64]) -> (usize, f64, f64) {
        let (mut best, mut nearest, mut next) = (0, f64::INFINITY, f64::INFINITY);
        self.distances(row, |center, distance| {
            if distance < nearest {
                (best, next, nearest) = (center, nearest, distance);
            } else if distance < next {
                next = distance;
            }
        });
        (best, nearest, next)
    }
}

/// Predicts the cluster of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "StoredCenters", into = "StoredCenters")]
pub struct CenterPredictor {
    stored: StoredCenters,
    centers: Centers,
}

/// The centres as `model.json` has them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredCenters {
    /// One row for each cluster.
    centers: Vec<Row>,
}

impl TryFrom<StoredCenters> for CenterPredictor {
    type Error = String;

    fn try_from(stored: StoredCenters) -> Result<Self, String> {
        let width = stored.centers.first().map_or(0, |center| center.0.len());
        if width == 0 || stored.centers.iter().any(|center| center.0.len() != width) {
            return Err("its centers are not of one width, or there are none".to_owned());
        }
        // Few wide centres take much more in lanes than in the file.
        let count = stored.centers.len();
        if width > MAX_COLUMNS || count > MAX_CLASSES {
            return Err(format!(
                "it has {count} centers of {width} features, of at most {MAX_CLASSES} and {MAX_COLUMNS}"
            ));
        }
        let centers = Centers::new(width, stored.centers.iter().map(|center| center.0.as_slice()));
        Ok(Self { stored, centers })
    }
}

impl From<CenterPredictor> for StoredCenters {
    fn from(predictor: CenterPredictor) -> Self {
        predictor.stored
    }
}

impl CenterPredictor {
    /// A predictor of these centres.
    ///
    /// # Errors
    /// When there are none or too many, or they are not of one width.
    pub fn new(centers: Vec<Vec<f64>>) -> Result<Self, ModelError> {
        let stored = StoredCenters { centers: centers.into_iter().map(Row).collect() };
        stored.try_into().map_err(ModelError::Invalid)
    }

    /// The centres.
    pub fn centers(&self) -> impl Iterator<Item = &[f64]> {
        self.stored.centers.iter().map(|center| center.0.as_slice())
    }

    /// What it finds.
    #[must_use]
    pub fn finding(&self) -> Finding {
        Finding::Clusters { count: self.centers.count() }
    }

    pub(super) fn check(&self, columns: usize) -> Result<(), ModelError> {
        if self.centers.width != columns {
            return Err(ModelError::Invalid(format!(
                "its centers are of {} features, and its schema has {columns}",
                self.centers.width
            )));
        }
        if self.centers().flatten().all(|value| value.is_finite()) {
            Ok(())
        } else {
            Err(ModelError::Invalid("a center is not finite".to_owned()))
        }
    }

    /// With larger values than this, a squared distance could be beyond what a 64-bit float holds.
    pub(super) fn largest_value(&self) -> f64 {
        let farthest = self.centers().flatten().fold(0.0, |far: f64, value| far.max(value.abs()));
        let distance = (f64::MAX / 8.0 / self.centers.width.max(1) as f64).sqrt();
        let exponent = (distance - farthest).max(1.0).log10().floor();
        format!("1e{exponent}").parse().unwrap_or(f64::MAX)
    }

    /// The clusters of rows, with the distance to the centre. Each row is computed by itself.
    ///
    /// # Errors
    /// When a row's distance is not a finite number.
    pub fn find(&self, rows: ArrayView2<'_, f64>) -> Result<Predictions, ModelError> {
        let mut index = Vec::with_capacity(rows.nrows());
        let mut numbers = Array2::zeros((rows.nrows(), 1));
        for (number, (row, mut place)) in rows.rows().into_iter().zip(numbers.rows_mut()).enumerate() {
            let (cluster, distance, _) = match row.as_slice() {
                Some(row) => self.centers.nearest(row),
                None => self.centers.nearest(&row.to_vec()),
            };
            if !distance.is_finite() {
                return Err(ModelError::Overflow { row: number });
            }
            index.push(cluster);
            place.fill(distance.sqrt());
        }
        Ok(Predictions::Findings { index, numbers })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn each_row_is_of_the_nearest_center_and_of_the_first_of_equals() {
        let centers = (0..11).map(|place| vec![f64::from(place), 0.0]).collect();
        let predictor = CenterPredictor::new(centers).expect("centres");
        let rows = array![[8.9, 3.0], [0.5, 0.0], [-4.0, 0.0], [100.0, 0.0]];
        let Predictions::Findings { index, numbers } = predictor.find(rows.view()).expect("clusters") else {
            panic!("clusters are findings");
        };
        assert_eq!(index, [9, 0, 0, 10]);
        assert_eq!(numbers.column(0).to_vec()[1..], [0.5, 4.0, 90.0]);
        let beyond = predictor.find(array![[f64::MAX, 0.0]].view()).expect_err("too far");
        assert!(matches!(beyond, ModelError::Overflow { row: 0 }), "{beyond}");
        let largest = predictor.largest_value();
        assert!(predictor.find(array![[largest, -largest]].view()).is_ok());
    }

    #[test]
    fn centers_that_do_not_fit_are_refused() {
        for wrong in [vec![], vec![vec![]], vec![vec![1.0], vec![1.0, 2.0]]] {
            assert!(CenterPredictor::new(wrong).is_err());
        }
        for (count, width) in [(1, MAX_COLUMNS + 1), (MAX_CLASSES + 1, 1)] {
            let error =
                CenterPredictor::new(vec![vec![0.0; width]; count]).expect_err("too many").to_string();
            assert!(error.contains(&format!("{count} centers of {width} features")), "{error}");
        }
        assert!(CenterPredictor::new(vec![vec![0.0]; MAX_CLASSES]).is_ok());
        let predictor = CenterPredictor::new(vec![vec![1.0], vec![f64::NAN]]).expect("one width");
        assert!(predictor.check(1).is_err());
        assert!(CenterPredictor::new(vec![vec![1.0]]).expect("one").check(2).is_err());
    }
}
