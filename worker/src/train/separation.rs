//! Whether a loss without a penalty has no minimum. Weights then fit ever better the larger they are, and which ones are found says when
//! the solver stopped.
//!
//! Owns which columns that is by. For classes: A. Albert, J. A. Anderson, "On the existence of maximum likelihood estimates in logistic
//! regression models" (1984); for counts: J. M. C. Santos Silva, S. Tenreyro, "On the existence of the maximum likelihood estimates in
//! Poisson regression" (2010). Must not know what columns are called.

use super::matrix::Rows;
use super::scaling::ROUNDING;
use super::vector::dot;
use crate::model::LinearPredictor;

/// Of columns that distinguish classes together, those are named that move the sums by at least this share of what the first of them does.
const SHARE_NAMED: f64 = 0.1;

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
        distinguishes_all(predictor, rows, classes).then(|| Self {
            places: weightiest(predictor, rows),
            why: "the classes are distinguished without an error by these columns together",
            penalty,
        })
    }

    /// Of sums that were learnt from rows of counts, of which one at least is above 0.
    pub(super) fn of_counts(rows: &Rows<'_>, counts: &[f64], has_intercept: bool) -> Option<Self> {
        let places = counting_at_one_value(rows, counts, has_intercept);
        (!places.is_empty()).then(|| Self {
            places,
            why: "every count is 0 but for one value of each of these columns",
            penalty: "set an alpha above 0",
        })
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
        let largest = weights.rows().into_iter().filter_map(|row| row.get(place).copied());
        (largest.fold(0.0, |most: f64, weight| most.max(weight.abs())) * (range.most - range.least), place)
    };
    let mut moved: Vec<(f64, usize)> = ranges.iter().enumerate().map(moved).collect();
    moved.sort_by(|ours, theirs| theirs.0.total_cmp(&ours.0));
    let first = moved.first().map_or(0.0, |(by, _)| *by);
    moved.into_iter().filter(|(by, _)| *by >= SHARE_NAMED * first).map(|(_, place)| place).collect()
}

#[cfg(test)]
mod tests {
    use ndarray::{arr1, arr2};

    use super::super::matrix::Matrix;
    use super::*;

    fn matrix(rows: &[&[f64]]) -> Matrix {
        let mut matrix = Matrix::new(rows[0].len());
        rows.iter().for_each(|row| matrix.extend(row));
        matrix
    }

    fn numbers(matrix: &Matrix) -> Vec<u32> {
        (0..matrix.rows() as u32).collect()
    }

    #[test]
    fn one_row_on_the_wrong_side_is_enough() {
        let matrix = matrix(&[&[-1.0], &[-2.0], &[3.0]]);
        let rows = Rows::new(&matrix, &[0, 1, 2]);
        let two = LinearPredictor::new(arr2(&[[1.0]]), arr1(&[0.0]));
        assert!(distinguishes_all(&two, &rows, &[0, 0, 1]));
        assert!(!distinguishes_all(&two, &rows, &[0, 1, 1]));
        let three = LinearPredictor::new(arr2(&[[-1.0], [0.0], [1.0]]), arr1(&[-1.5, 0.0, -1.0]));
        assert!(distinguishes_all(&three, &rows, &[1, 0, 2]));
        assert!(!distinguishes_all(&three, &rows, &[0, 0, 2]));
    }

    #[test]
    fn a_column_rules_out_a_class_where_some_classes_are_never_above_what_the_others_are_never_below() {
        // What the column is in each row, the row's class, and whether its weight has no limit.
        let cases: [(&str, &[(f64, u32)], bool); 11] = [
            ("parted", &[(1.0, 0), (2.0, 0), (3.0, 1), (4.0, 1)], true),
            ("parted, the other way round", &[(1.0, 1), (2.0, 1), (3.0, 0), (4.0, 0)], true),
            ("parted but for a value of both", &[(1.0, 0), (2.0, 0), (2.0, 1), (4.0, 1)], true),
            ("a flag with which only one class is", &[(0.0, 0), (0.0, 1), (1.0, 1), (0.0, 0)], true),
            ("zero of either sign", &[(0.0, 0), (1.0, 0), (-0.0, 1), (0.0, 1)], true),
            ("a flag with both classes", &[(0.0, 0), (0.0, 1), (1.0, 1), (1.0, 0)], false),
            ("overlapping", &[(1.0, 0), (3.0, 0), (2.0, 1), (4.0, 1)], false),
            ("one within the other", &[(1.0, 0), (4.0, 0), (2.0, 1), (3.0, 1)], false),
            ("one value", &[(1.0, 0), (1.0, 0), (1.0, 1), (1.0, 1)], false),
            ("one value but for rounding", &[(0.3, 0), (0.3, 0), (0.1 + 0.2, 1), (0.3, 1)], false),
            ("one of three is never with a flag", &[(0.0, 0), (1.0, 0), (0.0, 1), (1.0, 1), (0.0, 2)], true),
        ];
        for (what, case, is_endless) in cases {
            let values: Vec<[f64; 1]> = case.iter().map(|(value, _)| [*value]).collect();
            let rows: Vec<&[f64]> = values.iter().map(<[f64; 1]>::as_slice).collect();
            let classes: Vec<u32> = case.iter().map(|(_, class)| *class).collect();
            let matrix = matrix(&rows);
            let numbers = numbers(&matrix);
            let found = ruling_out(&Rows::new(&matrix, &numbers), &classes, 3);
            assert_eq!(!found.is_empty(), is_endless, "{what}");
        }
        // Two classes below the two others.
        let matrix = matrix(&[&[0.0], &[5.0], &[1.0], &[4.0], &[5.0], &[9.0], &[6.0], &[8.0]]);
        let numbers = numbers(&matrix);
        assert_eq!(ruling_out(&Rows::new(&matrix, &numbers), &[0, 0, 1, 1, 2, 2, 3, 3], 4), [0]);
    }

    #[test]
    fn a_column_says_that_a_count_is_0_where_all_others_have_one_value() {
        let cases: [(&str, &[(f64, f64)], bool, bool); 8] = [
            ("a flag without counts", &[(0.0, 2.0), (0.0, 0.0), (1.0, 0.0)], true, true),
            ("the same without an intercept", &[(0.0, 2.0), (0.0, 0.0), (1.0, 0.0)], false, true),
            ("all counts with a flag", &[(1.0, 2.0), (1.0, 0.0), (0.0, 0.0)], true, true),
            ("the same without an intercept", &[(1.0, 2.0), (1.0, 0.0), (0.0, 0.0)], false, false),
            ("counts with and without a flag", &[(0.0, 2.0), (1.0, 1.0), (1.0, 0.0)], true, false),
            ("no counts on both sides", &[(0.0, 2.0), (1.0, 0.0), (-1.0, 0.0)], true, false),
            ("one value", &[(3.0, 2.0), (3.0, 0.0), (3.0, 0.0)], true, false),
            ("no count of 0", &[(3.0, 2.0), (3.0, 1.0)], true, false),
        ];
        for (what, case, has_intercept, is_endless) in cases {
            let values: Vec<[f64; 1]> = case.iter().map(|(value, _)| [*value]).collect();
            let rows: Vec<&[f64]> = values.iter().map(<[f64; 1]>::as_slice).collect();
            let counts: Vec<f64> = case.iter().map(|(_, count)| *count).collect();
            let matrix = matrix(&rows);
            let numbers = numbers(&matrix);
            let found = Endless::of_counts(&Rows::new(&matrix, &numbers), &counts, has_intercept);
            assert_eq!(found.is_some(), is_endless, "{what}");
        }
    }

    #[test]
    fn columns_that_part_classes_together_are_those_that_move_the_sums() {
        // The class is whether the first column is above the second one; the third one says nothing.
        let matrix = matrix(&[
            &[1.0, 0.0, 0.0],
            &[5.0, 4.0, 1.0],
            &[9.0, 7.0, 0.0],
            &[0.0, 1.0, 1.0],
            &[4.0, 5.0, 0.0],
            &[7.0, 9.0, 1.0],
        ]);
        let numbers = numbers(&matrix);
        let rows = Rows::new(&matrix, &numbers);
        let predictor = LinearPredictor::new(arr2(&[[9.0, -10.0, 0.1]]), arr1(&[0.3]));
        let classes = [1, 1, 1, 0, 0, 0];
        let found = Endless::of_classes(&rows, &classes, 2, &predictor).expect("no limit");
        assert_eq!((found.places, found.why.contains("together")), (vec![1, 0], true));
        assert_eq!(Endless::of_classes(&rows, &[1, 1, 0, 0, 0, 1], 2, &predictor), None);
    }
}
