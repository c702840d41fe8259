//! What scaled columns are moved by and divided by, as the rows to learn from have it.
//!
//! Owns the statistics: means with population deviations, as scikit-learn's `StandardScaler` has them, or the smallest and largest
//! number, as its `MinMaxScaler`. They are of what rows become, so that missing values are imputed first, and rows are read twice at
//! most, wherever they are. A column of one value becomes 0, and so does nearly each number of one that varies by rounding alone.

use std::ops::Range;

use mlpipeline_crds::Scale;

use super::crossed::Crossed;
use super::matrix::Rows;
use super::parallel::over_shards;
use super::samples::Samples;
use super::scaling::ROUNDING;
use crate::preprocess::{ColumnScale, Encoder, Preprocessing};

/// The scales of the columns that are to have one, for rows that become this.
pub(super) fn fit(
    samples: &Samples,
    preprocessing: &Preprocessing,
    rows: &Rows<'_>,
    crossed: &[Crossed],
) -> Vec<ColumnScale> {
    let mut start = 0;
    let mut columns = Vec::new();
    for (place, (column, transform)) in samples.columns.iter().zip(preprocessing.transforms()).enumerate() {
        if column.scale != Scale::None && transform.sized() > 0 {
            let crossed = crossed.iter().find(|crossed| crossed.start == start);
            let (width, sized) = (transform.width(), transform.sized());
            columns.push(Scaled { scale: column.scale, place, start, width, sized, crossed });
        }
        start += transform.width();
    }
    if columns.is_empty() {
        return Vec::new();
    }
    let encoder = preprocessing.encoder(&samples.texts);
    let view = View { columns, encoder, rows };
    let spreads = view.spreads();
    let is_standard = view.columns.iter().any(|column| column.scale == Scale::Standard);
    let squares = if is_standard { view.squares(&spreads) } else { vec![0.0; spreads.len()] };
    view.scales(&spreads, &squares)
}

/// A column of the table that is scaled.
struct Scaled<'a> {
    scale: Scale,
    /// Its place in the table.
    place: usize,
    /// The first of the columns that are made of it.
    start: usize,
    /// How many these are.
    width: usize,
    /// How many of them, from the first on, are scaled.
    sized: usize,
    /// What rows to learn from get in place of what its transform makes.
    crossed: Option<&'a Crossed>,
}

/// What one column's numbers are like, without those that are missing.
#[derive(Clone, Copy, Debug)]
struct Spread {
    count: f64,
    sum: f64,
    min: f64,
    max: f64,
}

impl Spread {
    const NONE: Self = Self { count: 0.0, sum: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY };

    fn add(&mut self, value: f64) {
        if !value.is_nan() {
            self.join(&Self { count: 1.0, sum: value, min: value, max: value });
        }
    }

    fn join(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    fn mean(&self) -> f64 {
        // Rounding must not put the mean of equal values beside them.
        (self.sum / self.count).max(self.min).min(self.max)
    }

    /// How far the numbers reach; 0 where they vary by rounding alone, or there are none.
    fn range(&self) -> f64 {
        let range = self.max - self.min;
        if range > ROUNDING * self.min.abs().max(self.max.abs()) { range } else { 0.0 }
    }

    fn scale(&self, scale: Scale, column: usize, squares: f64) -> ColumnScale {
        let (center, divisor) = match scale {
            Scale::Standard if self.count > 0.0 => {
                (self.mean(), (squares / self.count).sqrt() * self.range())
            }
            Scale::MinMax if self.count > 0.0 => (self.min, self.range()),
            // Nothing is known of it, or asked for.
            Scale::Standard | Scale::MinMax | Scale::None => (0.0, 1.0),
        };
        // What has one value is divided by 1, and so 0.
        let divisor = if divisor > 0.0 && divisor.is_finite() { divisor } else { 1.0 };
        ColumnScale { column: column as u32, center, divisor }
    }
}

/// The scaled columns of some rows.
struct View<'a> {
    columns: Vec<Scaled<'a>>,
    encoder: Encoder<'a>,
    rows: &'a Rows<'a>,
}

impl View<'_> {
    fn width(&self) -> usize {
        self.columns.iter().map(|column| column.width).sum()
    }

    /// Calls `work` with what is made of the scaled columns of each row, side by side.
    fn each_row(&self, range: Range<usize>, mut work: impl FnMut(&[f64])) {
        let mut row_made = vec![0.0; self.width()];
        for (at, (_, row)) in range.clone().zip(self.rows.range(range)) {
            let mut made: &mut [f64] = &mut row_made;
            for column in &self.columns {
                let Some((own, rest)) = made.split_at_mut_checked(column.width) else { break };
                match column.crossed {
                    Some(crossed) => {
                        own.iter_mut().zip(crossed.of(at)).for_each(|(own, mean)| *own = *mean);
                    }
                    None => {
                        let value = row.get(column.place).copied().unwrap_or(f64::NAN);
                        self.encoder.encode_column(column.place, value, own);
                    }
                }
                made = rest;
            }
            work(&row_made);
        }
    }

    fn spreads(&self) -> Vec<Spread> {
        let none = || vec![Spread::NONE; self.width()];
        let parts = over_shards(self.rows.len(), |range| {
            let mut part = none();
            self.each_row(range, |row| {
                part.iter_mut().zip(row).for_each(|(spread, value)| spread.add(*value));
            });
            part
        });
        let mut all = none();
        for part in &parts {
            all.iter_mut().zip(part).for_each(|(all, part)| all.join(part));
        }
        all
    }

    /// The sums of the squares of how far each number is from the mean, in units of the range, so that they neither overflow nor vanish.
    fn squares(&self, spreads: &[Spread]) -> Vec<f64> {
        let about: Vec<(f64, f64)> = spreads.iter().map(|spread| (spread.mean(), spread.range())).collect();
        let parts = over_shards(self.rows.len(), |range| {
            let mut part = vec![0.0; about.len()];
            self.each_row(range, |row| {
                for ((square, value), (mean, range)) in part.iter_mut().zip(row).zip(&about) {
                    let distance = (value - mean) / range;
                    if distance.is_finite() {
                        *square += distance * distance;
                    }
                }
            });
            part
        });
        let mut all = vec![0.0; about.len()];
        for part in &parts {
            all.iter_mut().zip(part).for_each(|(all, part)| *all += *part);
        }
        all
    }

    fn scales(&self, spreads: &[Spread], squares: &[f64]) -> Vec<ColumnScale> {
        let mut measured = spreads.iter().zip(squares);
        let mut scales = Vec::new();
        for column in &self.columns {
            let own = measured.by_ref().take(column.width).enumerate();
            let sized = own.filter(|(part, _)| *part < column.sized);
            scales.extend(
                sized.map(|(part, (spread, squares))| {
                    spread.scale(column.scale, column.start + part, *squares)
                }),
            );
        }
        scales
    }
}

#[cfg(test)]
#[path = "scales_tests.rs"]
mod tests;
