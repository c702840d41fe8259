//! Whether a loss without a penalty has no minimum. Weights then fit ever better the larger they are, and which ones are found says when
//! the solver stopped.
//!
//! Owns which columns that is by. For classes: A. Albert, J. A. Anderson, "On the existence of maximum likelihood estimates in logistic
//! regression models" (1984); for counts: J. M. C. Santos Silva, S. Tenreyro, "On the existence of the maximum likelihood estimates in
//! Poisson regression" (2010). Must not know what columns are called.

#[cfg(test)]
mod tests;

use super::matrix::Rows;
use super::recession::{May, endless_direction};
use super::scaling::ROUNDING;
use super::vector::dot;
use crate::model::LinearPredictor;

/// Of columns that distinguish classes together, those are named that move the sums by at least this share of what the first of them does.
const SHARE_NAMED: f64 = 0.1;

/// A row of two classes is as good as settled where the odds for its own are 99 to 1, and one without a count where a hundredth of the mean
/// is expected: this is how far their sums then are.
const SETTLED: f64 = 4.6;

/// Weights that have no limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endless {
    /// The places of their columns in the matrix.
    pub places: Vec<usize>,
    /// What is so about these columns.
    pub why: &'static str,
    /// The penalty that gives weights a limit.
    pub penalty: &'static str,
}

impl Endless {
    /// Of sums that were learnt from rows of classes: by columns that rule out a class each, else by all columns together.
    pub(super) fn of_classes(
        rows: &Rows<'_>,
        classes: &[u32],
        count: usize,
        predictor: &LinearPredictor,
    ) -> Option<Self> {
        let penalty = "set penalty: l2 and an alpha above 0";
        let places = ruling_out(rows, classes, count);
        if !places.is_empty() {
            let why = "each of these columns rules out a class for some of its values";
            return Some(Self { places, why, penalty });
        }
        if distinguishes_all(predictor, rows, classes) {
            let why = "the classes are distinguished without an error by these columns together";
            return Some(Self { places: weightiest(predictor, rows), why, penalty });
        }
        let all = predictor.weights();
        let weights = all.rows().into_iter().next().filter(|_| count == 2)?;
        let direction = endless_direction(
            rows,
            weights,
            predictor.intercepts().first().copied(),
            |row, sum| match classes.get(row) {
                Some(1) => (May::Rise, sum >= SETTLED),
                _ => (May::Fall, sum <= -SETTLED),
            },
        )?;
        let why = "these columns together rule out a class for some of their values";
        Some(Self { places: largest(direction), why, penalty })
    }

    /// Of sums that were learnt from rows of counts, of which one at least is above 0: by columns that say it each, else by all together.
    pub(super) fn of_counts(
        rows: &Rows<'_>,
        counts: &[f64],
        has_intercept: bool,
        predictor: &LinearPredictor,
    ) -> Option<Self> {
        let penalty = "set an alpha above 0";
        let places = counting_at_one_value(rows, counts, has_intercept);
        if !places.is_empty() {
            let why = "every count is 0 but for one value of each of these columns";
            return Some(Self { places, why, penalty });
        }
        let count = |row: usize| counts.get(row).copied().unwrap_or_default();
        let sum: f64 = rows.numbers().iter().map(|row| count(*row as usize)).sum();
        let expected = (sum / rows.len().max(1) as f64).ln();
        let intercept = predictor.intercepts().first().copied().filter(|_| has_intercept);
        let all = predictor.weights();
        let weights = all.rows().into_iter().next()?;
        let direction = endless_direction(rows, weights, intercept, |row, sum| {
            if count(row) > 0.0 { (May::Stay, false) } else { (May::Fall, sum <= expected - SETTLED) }
        })?;
        let why = "every count is 0 in rows that these columns together distinguish";
        Some(Self { places: largest(direction), why, penalty })
    }
}

/// The least and the most of some values.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Range {
    least: f64,
    most: f64,
}

impl Range {
    const NONE: Self = Self { least: f64::INFINITY, most: f64::NEG_INFINITY };

    fn take(&mut self, value: f64) {
        // 0 and -0 are one value, and are sorted as one.
        let value = value + 0.0;
        self.least = self.least.min(value);
        self.most = self.most.max(value);
    }

    fn and(self, other: Self) -> Self {
        Self { least: self.least.min(other.least), most: self.most.max(other.most) }
    }

    fn is_empty(self) -> bool {
        self.least > self.most
    }

    /// Whether it is one value, or a few that rounding made of one, to which no weight is given.
    fn is_one_value(self) -> bool {
        self.most - self.least <= ROUNDING * self.least.abs().max(self.most.abs())
    }
}

/// The columns with a threshold that some classes are never above and all others never below.
fn ruling_out(rows: &Rows<'_>, classes: &[u32], count: usize) -> Vec<usize> {
    let width = rows.width();
    let mut ranges = vec![Range::NONE; width * count];
    for (number, row) in rows.iter() {
        let class = classes.get(number).map_or(count, |class| *class as usize);
        let of_class = ranges.get_mut(class * width..(class + 1) * width).unwrap_or_default();
        of_class.iter_mut().zip(row.iter()).for_each(|(range, value)| range.take(*value));
    }
    let of = |place: usize| ranges.iter().skip(place).step_by(width).copied();
    (0..width)
        .filter(|place| !of(*place).fold(Range::NONE, Range::and).is_one_value())
        .filter(|place| have_a_threshold(of(*place).collect()))
        .collect()
}

/// Whether some ranges end where the others begin, or before.
fn have_a_threshold(mut ranges: Vec<Range>) -> bool {
    ranges.retain(|range| !range.is_empty());
    ranges.sort_unstable_by(|ours, theirs| {
        ours.least.total_cmp(&theirs.least).then(ours.most.total_cmp(&theirs.most))
    });
    let mut highest = f64::NEG_INFINITY;
    ranges.windows(2).any(|pair| match pair {
        [low, high] => {
            highest = highest.max(low.most);
            highest <= high.least
        }
        _ => false,
    })
}

/// The columns that have one value wherever the count is above 0, and elsewhere no values on both sides of it. Without an intercept, that
/// value must be 0: any other one holds the weight.
fn counting_at_one_value(rows: &Rows<'_>, counts: &[f64], has_intercept: bool) -> Vec<usize> {
    let mut ranges = vec![(Range::NONE, Range::NONE); rows.width()];
    for (number, row) in rows.iter() {
        let is_counted = counts.get(number).is_some_and(|count| *count > 0.0);
        for ((counted, zero), value) in ranges.iter_mut().zip(row.iter()) {
            let range = if is_counted { counted } else { zero };
            range.take(*value);
        }
    }
    let is_endless = |(counted, zero): (Range, Range)| {
        let value = counted.most;
        counted.least == value
            && (has_intercept || value == 0.0)
            && !zero.is_empty()
            && !zero.and(counted).is_one_value()
            && (zero.least >= value || zero.most <= value)
    };
    ranges.into_iter().enumerate().filter(|(_, of)| is_endless(*of)).map(|(place, _)| place).collect()
}

/// Whether each row's class has the largest sum. The first row that has not ends the search.
fn distinguishes_all(predictor: &LinearPredictor, rows: &Rows<'_>, classes: &[u32]) -> bool {
    let weights: Vec<Vec<f64>> = predictor.weights().rows().into_iter().map(|row| row.to_vec()).collect();
    rows.iter().all(|(number, row)| {
        let class = classes.get(number).map_or(0, |class| *class as usize);
        let outputs = weights.iter().zip(predictor.intercepts());
        let sums: Vec<f64> = outputs.map(|(weights, intercept)| dot(&row, weights) + intercept).collect();
        match sums.as_slice() {
            // Of two classes, the sum is that of the second.
            [sum] => (class == 1 && *sum > 0.0) || (class == 0 && *sum < 0.0),
            sums => {
                let own = sums.get(class).copied().unwrap_or(f64::NAN);
                sums.iter().enumerate().all(|(other, sum)| other == class || *sum < own)
            }
        }
    })
}

/// The columns that move the sums most from the least of their values to the most, the first of them first.
fn weightiest(predictor: &LinearPredictor, rows: &Rows<'_>) -> Vec<usize> {
    let mut ranges = vec![Range::NONE; rows.width()];
    for (_, row) in rows.iter() {
        ranges.iter_mut().zip(row.iter()).for_each(|(range, value)| range.take(*value));
    }
    let moved = |(place, range): (usize, &Range)| {
        let weights = predictor.weights();
        let of_column = weights.rows().into_iter().filter_map(|row| row.get(place).copied());
        of_column.fold(0.0, |most: f64, weight| most.max(weight.abs())) * (range.most - range.least)
    };
    largest(ranges.iter().enumerate().map(moved).collect())
}

/// The places of the largest numbers, the first of them first, whatever their signs.
fn largest(numbers: Vec<f64>) -> Vec<usize> {
    let mut sizes: Vec<(f64, usize)> = numbers.iter().map(|number| number.abs()).zip(0..).collect();
    sizes.sort_by(|ours, theirs| theirs.0.total_cmp(&ours.0));
    let first = sizes.first().map_or(0.0, |(size, _)| *size);
    sizes.into_iter().filter(|(size, _)| *size >= SHARE_NAMED * first).map(|(_, place)| place).collect()
}
