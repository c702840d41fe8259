//! The mean of the target for each text of a column, as scikit-learn's TargetEncoder works it out with `smooth="auto"`.
//!
//! A text's mean is drawn towards that of all rows, the more the fewer rows it has and the more these differ. (D. Micci-Barreca, "A
//! preprocessing scheme for high-cardinality categorical attributes", 2001.) Owns that a training row never sees its own target: the
//! rows to learn from are dealt to five folds, whole groups where rows belong together, and the means that a row gets are of the other
//! folds. All other rows get the means of all rows to learn from, as a served row does.

use super::error::TrainError;
use super::samples::Samples;
use super::shuffle::Shuffler;
use super::task::Task;
use crate::exact::Row;
use crate::preprocess::TargetTransform;

/// How many folds the rows to learn from are dealt to.
const FOLDS: usize = 5;

/// The seed of the dealing.
const SEED: i64 = 0;

/// The most means of one column: with their texts, they are a part of `model.json`.
const MOST_MEANS: usize = 1_000_000;

/// The most bytes of a column's texts, for the same reason.
const MOST_BYTES: usize = 32 << 20;

/// The means of a column, for a served row and for the rows to learn from.
pub(super) struct TargetMeans {
    pub(super) transform: TargetTransform,
    /// The means that each of the rows to learn from gets, one after the other.
    pub(super) crossed: Vec<f64>,
}

impl TargetMeans {
    /// Fits the means of the column at a place to these rows.
    ///
    /// # Errors
    /// When there is no target, or there are too many means for a model.
    pub(super) fn fit(samples: &Samples, place: usize, rows: &[u32]) -> Result<Self, TrainError> {
        let column = Column::new(samples, place)?;
        let all = column.means(rows.iter());
        let fold_of = deal(samples, rows);
        let mut crossed = vec![0.0; rows.len() * column.width];
        for fold in 0..FOLDS {
            let others = || rows.iter().zip(&fold_of).filter(|(_, of)| **of != fold).map(|(row, _)| row);
            let means = column.means(others());
            // Where no row is in another fold, all that may be known is the mean.
            let known = if others().next().is_some() { &means } else { &all };
            let places = rows.iter().zip(&fold_of).zip(crossed.chunks_exact_mut(column.width));
            for ((row, _), place) in places.filter(|((_, of), _)| **of == fold) {
                let own = means.of(column.text(*row)).unwrap_or(&known.overall);
                place.copy_from_slice(own);
            }
        }
        Ok(Self { transform: column.transform(&all), crossed })
    }
}

/// The fold of each of the rows: alike in their classes, and with whole groups where rows belong together.
fn deal(samples: &Samples, rows: &[u32]) -> Vec<usize> {
    let class = |row: u32| match &samples.task {
        Task::Classify { classes, .. } => classes.get(row as usize).copied().unwrap_or_default(),
        Task::Regress { .. } | Task::Find { .. } => 0,
    };
    // Whole groups may have several classes, and are dealt without regard to them.
    let key = |row: u32| match &samples.keys.groups {
        Some(groups) => (0, groups.get(row as usize).copied().unwrap_or_default()),
        None => (class(row), row),
    };
    let mut keys: Vec<(u32, u32)> = rows.iter().map(|row| key(*row)).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut shuffler = Shuffler::new(SEED);
    for same in keys.chunk_by_mut(|ours, theirs| ours.0 == theirs.0) {
        shuffler.shuffle(same);
    }
    let mut folds: Vec<((u32, u32), usize)> = keys.into_iter().zip((0..FOLDS).cycle()).collect();
    folds.sort_unstable();
    let fold = |row: &u32| {
        let found = folds.binary_search_by_key(&key(*row), |(key, _)| *key).ok();
        found.and_then(|place| folds.get(place)).map_or(0, |(_, fold)| *fold)
    };
    rows.iter().map(fold).collect()
}

/// A column with the numbers of the target that are averaged: the target itself, 1 for the second of two classes, or one number for
/// each class.
struct Column<'a> {
    samples: &'a Samples,
    place: usize,
    width: usize,
}

/// Means of rows, by text; after the texts comes the missing value.
struct Means {
    overall: Vec<f64>,
    counts: Vec<u64>,
    means: Vec<f64>,
}

impl Means {
    fn of(&self, text: usize) -> Option<&[f64]> {
        let width = self.overall.len();
        self.counts.get(text).filter(|count| **count > 0)?;
        self.means.get(text * width..(text + 1) * width)
    }
}

impl<'a> Column<'a> {
    fn new(samples: &'a Samples, place: usize) -> Result<Self, TrainError> {
        let width = match &samples.task {
            Task::Classify { labels, .. } if labels.len() > 2 => labels.len(),
            Task::Classify { .. } | Task::Regress { .. } => 1,
            Task::Find { .. } => return Err(TrainError::missing_target()),
        };
        let column = Self { samples, place, width };
        let bytes: usize = samples.texts.get(place).map_or(0, |texts| texts.iter().map(str::len).sum());
        if column.texts().saturating_mul(width) > MOST_MEANS || bytes > MOST_BYTES {
            let name = samples.columns.get(place).map(|column| column.name.as_str()).unwrap_or_default();
            return Err(TrainError::Data(format!(
                "column \"{name}\" has {} texts of {bytes} bytes in all, and taken as target a model holds at most {MOST_MEANS} means \
                 of at most {MOST_BYTES} bytes of texts; take it as hash, or leave it out",
                column.texts()
            )));
        }
        Ok(column)
    }

    /// How many texts there are, and the missing value.
    fn texts(&self) -> usize {
        self.samples.texts.get(self.place).map_or(0, crate::preprocess::Texts::len) + 1
    }

    fn text(&self, row: u32) -> usize {
        let value = self.samples.raw.row(row as usize).get(self.place).copied().unwrap_or(f64::NAN);
        if value >= 0.0 { value as usize } else { self.texts() - 1 }
    }

    /// One of the numbers that are averaged of a row.
    fn number(&self, row: u32, part: usize) -> f64 {
        match &self.samples.task {
            Task::Classify { classes, .. } => {
                let wanted = if self.width == 1 { 1 } else { part as u32 };
                f64::from(u8::from(classes.get(row as usize) == Some(&wanted)))
            }
            Task::Regress { numbers, .. } => numbers.get(row as usize).copied().unwrap_or_default(),
            Task::Find { .. } => 0.0,
        }
    }

    fn means<'r>(&self, rows: impl Iterator<Item = &'r u32> + Clone) -> Means {
        let mut counts = vec![0_u64; self.texts()];
        let mut all = 0_u64;
        for row in rows.clone() {
            all += 1;
            if let Some(count) = counts.get_mut(self.text(*row)) {
                *count += 1;
            }
        }
        let mut means = vec![0.0; counts.len() * self.width];
        let mut overall = Vec::with_capacity(self.width);
        for part in 0..self.width {
            let known = || rows.clone().map(|row| (self.text(*row), self.number(*row, part)));
            let (mean, smoothed) = smoothed(known, &counts, all);
            overall.push(mean);
            for (place, mean) in means.iter_mut().skip(part).step_by(self.width).zip(smoothed) {
                *place = mean;
            }
        }
        Means { overall, counts, means }
    }

    fn transform(&self, all: &Means) -> TargetTransform {
        let texts = self.samples.texts.get(self.place);
        let texts = texts.into_iter().flat_map(|texts| texts.iter().enumerate());
        let mut known: Vec<(&str, Row)> =
            texts.filter_map(|(place, text)| Some((text, Row(all.of(place)?.to_vec())))).collect();
        known.sort_by(|ours, theirs| ours.0.cmp(theirs.0));
        TargetTransform {
            categories: known.iter().map(|(text, _)| (*text).to_owned()).collect(),
            means: known.into_iter().map(|(_, means)| means).collect(),
            overall: Row(all.overall.clone()),
            missing: all.of(self.texts() - 1).map(|means| Row(means.to_vec())),
        }
    }
}

/// The mean of all rows' numbers, and that of each text's, drawn towards it.
fn smoothed<I: Iterator<Item = (usize, f64)>>(
    known: impl Fn() -> I,
    counts: &[u64],
    rows: u64,
) -> (f64, Vec<f64>) {
    let rows = rows.max(1) as f64;
    let mean = known().map(|(_, number)| number / rows).sum::<f64>();
    // Of numbers of any size, the squares must neither overflow nor vanish.
    let unit = known().fold(0.0, |most: f64, (_, number)| most.max((number - mean).abs()));
    let unit = if unit > 0.0 { unit } else { 1.0 };
    let of = |text: usize| counts.get(text).copied().unwrap_or_default().max(1) as f64;
    let (mut means, mut squares) = (vec![0.0; counts.len()], vec![0.0; counts.len()]);
    let mut variance = 0.0;
    for (text, number) in known() {
        let distance = (number - mean) / unit;
        variance += distance * distance / rows;
        if let Some(mean) = means.get_mut(text) {
            *mean += distance / of(text);
        }
    }
    for (text, number) in known() {
        let own = (number - mean) / unit - means.get(text).copied().unwrap_or_default();
        if let Some(squares) = squares.get_mut(text) {
            *squares += own * own;
        }
    }
    let smoothed = means.into_iter().zip(squares).enumerate().map(|(text, (own, squares))| {
        let count = of(text);
        let share = variance * count / (variance * count + squares / count);
        if share.is_nan() { mean } else { mean + share * own * unit }
    });
    (mean, smoothed.collect())
}

#[cfg(test)]
#[path = "target_means_tests.rs"]
mod tests;
