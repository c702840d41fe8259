//! Principal component analysis: the directions in which rows differ most. And the truncated singular value decomposition, which is the
//! same about 0 in place of the means.
//!
//! The eigenvectors of the features' covariances. Signs are scikit-learn's: the largest entry of each component is positive. Of wide
//! tables a few leading ones are found by products with the rows alone; what does not come out exact so is found as all others are,
//! by the whole matrix, whose cost grows with the third power of the columns.

use linfa_linalg::Order;
use linfa_linalg::eigh::{EigSort, EighInto};
use mlpipeline_crds::{Pca as Parameters, TruncatedSvd};
use ndarray::Array2;

use super::error::TrainError;
use super::leading::{leading, most_directions};
use super::learner::{Finder, Fitted};
use super::matrix::Rows;
use super::memory::check_covariances;
use super::parallel::{over_items, over_shards, sums_at_once};
use super::scaling::Scaling;
use super::vector::{add, dot};
use crate::model::{ComponentPredictor, MAX_NUMBERS};

/// The least share of the first component's sum of squares at which another can be told from rounding.
const LEAST_SHARE: f64 = 1e-10;

/// Beside the sums of shards: their total, the covariance, its eigenvectors with what computing them takes, and these in order.
const SQUARES: usize = 5;

/// Principal component analysis with checked parameters.
#[derive(Clone, Debug)]
pub struct Pca {
    /// Whether directions go out from the means rather than from 0.
    is_centered: bool,
    /// How many components, or the share of the variance; as many as there can be when absent.
    components: Option<f64>,
}

impl Pca {
    /// An algorithm with these parameters, which are within their bounds.
    #[must_use]
    pub fn new(parameters: &Parameters) -> Self {
        Self { is_centered: true, components: parameters.n_components }
    }

    /// The same about 0, with these parameters, which are within their bounds.
    #[must_use]
    pub fn truncated_svd(parameters: &TruncatedSvd) -> Self {
        let count = parameters.n_components.unwrap_or(TruncatedSvd::DEFAULT_N_COMPONENTS);
        Self { is_centered: false, components: Some(f64::from(count)) }
    }

    /// Where the rows are seen from.
    fn view<'a>(&self, rows: &'a Rows<'a>) -> Result<View<'a>, TrainError> {
        let Scaling { means, min, max, .. } = Scaling::measure(rows);
        let ends = || min.iter().zip(&max);
        // Of numbers of any size, the squares must neither overflow nor vanish.
        let (means, unit) = if self.is_centered {
            (means, ends().fold(0.0, |most: f64, (min, max)| most.max(max - min)))
        } else {
            (vec![0.0; means.len()], ends().fold(0.0, |most: f64, (min, max)| most.max(-min).max(*max)))
        };
        if unit > 0.0 {
            return Ok(View { rows, means, unit });
        }
        let what = if self.is_centered { "equal" } else { "0 in every column" };
        Err(TrainError::Data(format!(
            "all rows to learn from are {what}, so there is no direction in which they differ; use more rows"
        )))
    }

    /// A number of components that is given outright.
    fn asked(&self, width: usize, rows: usize) -> Option<usize> {
        let count = self.components.filter(|count| *count >= 1.0 && *count <= width.min(rows) as f64)?;
        Some(count as usize)
    }

    /// How many of the components are kept, by their variances, the largest first.
    fn count(&self, variances: &[f64], rows: usize) -> Result<usize, TrainError> {
        let most = variances.len().min(rows);
        match self.components {
            None => Ok(most),
            Some(share) if share < 1.0 => {
                let total: f64 = variances.iter().sum();
                let mut sum = 0.0;
                let explained = variances.iter().take_while(|variance| {
                    sum += **variance / total;
                    sum <= share
                });
                Ok((explained.count() + 1).min(most))
            }
            Some(count) if count <= most as f64 => Ok(count as usize),
            Some(count) => {
                let columns = variances.len();
                let advice = if rows < columns { ", or use more rows" } else { ", or more columns" };
                let plural = if columns == 1 { "" } else { "s" };
                Err(TrainError::Data(format!(
                    "nComponents is {count}, and {rows} rows of {columns} column{plural} have at most {most} components; lower it{advice}"
                )))
            }
        }
    }
}

impl Finder for Pca {
    fn fit(&self, rows: &Rows<'_>) -> Result<Fitted, TrainError> {
        let view = self.view(rows)?;
        let few = self.asked(rows.width(), rows.len()).map(|count| view.few(count)).transpose()?.flatten();
        let vectors = match few {
            Some(vectors) => vectors,
            None => self.all(&view)?,
        };
        if !self.is_centered {
            view.check_last(&vectors)?;
        }
        let components = vectors.into_iter().map(upright).collect();
        let predictor = ComponentPredictor::new(view.means, components);
        Ok(Fitted { predictor: predictor.into(), warning: None })
    }

    fn row_bytes(&self, _width: usize) -> Option<usize> {
        Some(0)
    }
}

impl Pca {
    /// The components by the whole matrix of covariances.
    fn all(&self, view: &View<'_>) -> Result<Vec<Vec<f64>>, TrainError> {
        let rows = view.rows;
        let square = rows.width() * rows.width();
        let squares = sums_at_once(square).min(over_shards(rows.len(), |_| ()).len()) + SQUARES;
        check_covariances(rows.matrix(), rows.len(), squares.saturating_mul(square))?;
        let found = covariance(rows, &view.means, view.unit).eigh_into().map_err(|error| {
            TrainError::Numbers(format!("the components of the features could not be computed ({error})"))
        })?;
        let (variances, vectors) = found.sort_eig(Order::Largest);
        let variances: Vec<f64> = variances.iter().map(|variance| variance.max(0.0)).collect();
        let count = self.count(&variances, rows.len())?;
        if count.saturating_mul(rows.width()) > MAX_NUMBERS {
            return Err(TrainError::Data(format!(
                "{count} components of {} columns are more than the {MAX_NUMBERS} numbers that a model holds; lower nComponents",
                rows.width()
            )));
        }
        Ok(vectors.columns().into_iter().take(count).map(|vector| vector.to_vec()).collect())
    }
}

/// Rows as they are seen from a point, in a unit in which no square overflows or vanishes.
struct View<'a> {
    rows: &'a Rows<'a>,
    means: Vec<f64>,
    unit: f64,
}

impl View<'_> {
    /// A few leading components of a wide table; none where they are too many for it, or do not come out exact.
    fn few(&self, count: usize) -> Result<Option<Vec<Vec<f64>>>, TrainError> {
        let width = self.means.len();
        let Some(most) = most_directions(width, count) else { return Ok(None) };
        // Directions and their products, and twice the products of a shard.
        let shards = over_shards(self.rows.len(), |_| ()).len();
        let vectors = most.saturating_mul(2).saturating_add(shards.saturating_mul(count * 2 + 16));
        check_covariances(self.rows.matrix(), self.rows.len(), vectors.saturating_mul(width))?;
        Ok(leading(width, count, most, &|vectors| self.multiply(vectors)))
    }

    /// Refuses directions along which rows are so much nearer to 0 than along the first that rounding decides what they are.
    fn check_last(&self, vectors: &[Vec<f64>]) -> Result<(), TrainError> {
        let squares: Vec<f64> = self
            .multiply(vectors)
            .iter()
            .zip(vectors)
            .map(|(product, vector)| dot(product, vector))
            .collect();
        let least = squares.first().map_or(0.0, |first| first * LEAST_SHARE);
        match squares.iter().position(|square| *square < least) {
            None => Ok(()),
            Some(place) => Err(TrainError::Data(format!(
                "component {} is so small beside the first that it cannot be told from rounding: a column is far from 0, or far larger than \
                 the others, or there are fewer directions than components. Set nComponents to {place}, set scale: \
                 standard, or take pca, which subtracts the means",
                place + 1
            ))),
        }
    }

    /// The products of the covariances with vectors.
    fn multiply(&self, vectors: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let width = self.means.len();
        let parts = over_shards(self.rows.len(), |range| {
            let mut sums = vec![vec![0.0; width]; vectors.len()];
            let mut centered = vec![0.0; width];
            for (_, row) in self.rows.range(range) {
                for (place, (value, mean)) in centered.iter_mut().zip(row.iter().zip(&self.means)) {
                    *place = (value - mean) / self.unit;
                }
                for (sums, vector) in sums.iter_mut().zip(vectors) {
                    add(sums, dot(&centered, vector), &centered);
                }
            }
            sums
        });
        let share = 1.0 / self.rows.len().max(1) as f64;
        let mut products = vec![vec![0.0; width]; vectors.len()];
        for part in &parts {
            products.iter_mut().zip(part).for_each(|(product, part)| add(product, share, part));
        }
        products
    }
}

/// A direction whose largest entry (the first of equals) is positive.
fn upright(vector: Vec<f64>) -> Vec<f64> {
    let largest =
        vector.iter().fold(0.0, |most: f64, entry| if entry.abs() > most.abs() { *entry } else { most });
    let sign = if largest < 0.0 { -1.0 } else { 1.0 };
    vector.into_iter().map(|entry| sign * entry).collect()
}

/// The sums of products of the columns' distances from their means, in this unit; divided by how many rows there are.
fn covariance(rows: &Rows<'_>, means: &[f64], unit: f64) -> Array2<f64> {
    let width = means.len();
    let shards = over_shards(rows.len(), |range| range);
    let wave = sums_at_once(width * width);
    let mut sums = vec![0.0; width * width];
    for shards in shards.chunks(wave) {
        let parts = over_items(shards.to_vec(), |range| {
            let mut sums = vec![0.0; width * width];
            let mut centered = vec![0.0; width];
            for (_, row) in rows.range(range) {
                for (place, (value, mean)) in centered.iter_mut().zip(row.iter().zip(means)) {
                    *place = (value - mean) / unit;
                }
                for (first, sums) in sums.chunks_exact_mut(width).enumerate() {
                    let (own, others) = (centered.get(first).copied(), centered.get(first..));
                    add(
                        sums.get_mut(first..).unwrap_or_default(),
                        own.unwrap_or_default(),
                        others.unwrap_or_default(),
                    );
                }
            }
            sums
        });
        parts.iter().for_each(|part| add(&mut sums, 1.0, part));
    }
    let count = rows.len().max(1) as f64;
    let entry =
        |row: usize, column: usize| sums.get(row * width + column).copied().unwrap_or_default() / count;
    Array2::from_shape_fn((width, width), |(row, column)| entry(row.min(column), row.max(column)))
}

#[cfg(test)]
#[path = "pca_tests.rs"]
mod tests;
