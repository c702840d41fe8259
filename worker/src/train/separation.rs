//! Whether a loss without a penalty has no minimum. Weights then fit ever better the larger they are, and which ones are found says when
//! the solver stopped.
//!
//! Owns which columns that is by. For classes: A. Albert, J. A. Anderson, "On the existence of maximum likelihood estimates in logistic
//! regression models" (1984); for counts: J. M. C. Santos Silva, S. Tenreyro, "On the existence of the maximum likelihood estimates in
//! Poisson regression" (2010). Must not know what columns are called.

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

#[cfg(test)]
mod tests {
    use mlpipeline_crds::{LogisticRegression, Penalty, PoissonRegression};
    use ndarray::{arr1, arr2};

    use super::super::learner::{Classifier, Regressor};
    use super::super::logistic::Logistic;
    use super::super::matrix::Matrix;
    use super::super::poisson::Poisson;
    use super::*;

    /// What a column is in a row, and the row's class.
    type Labelled = (f64, u32);

    /// What a column is in a row, and the row's count.
    type Counted = (f64, f64);

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
        let cases: [(&str, &[Labelled], bool); 11] = [
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
        let cases: [(&str, &[Counted], bool, bool); 8] = [
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
            let found = counting_at_one_value(&Rows::new(&matrix, &numbers), &counts, has_intercept);
            assert_eq!(!found.is_empty(), is_endless, "{what}");
        }
    }

    #[test]
    fn columns_that_rule_out_a_class_together_are_found_from_where_the_solver_stopped() {
        let parameters = LogisticRegression {
            penalty: Some(Penalty::None),
            max_iterations: Some(1000),
            ..Default::default()
        };
        let learner = Logistic::new(&parameters);
        // Of both classes where the sum of the first two columns is 5, else of the one that it says, but for a few rows.
        for (exceptions, expected) in [(0, Some(true)), (1, None)] {
            let mut of_rows: Vec<([f64; 3], u32)> = Vec::new();
            for (i, j) in (0..7).flat_map(|i| (0..7).map(move |j| (i, j))) {
                let values = [f64::from(i), f64::from(j), f64::from((3 * i + 2 * j) % 5)];
                let is_both = i + j == 5 || (exceptions > 0 && (i + j == 3 || i + j == 7));
                of_rows.push((values, u32::from(i + j > 5)));
                if is_both {
                    of_rows.push((values, u32::from(i + j <= 5)));
                }
            }
            let values: Vec<&[f64]> = of_rows.iter().map(|(values, _)| values.as_slice()).collect();
            let classes: Vec<u32> = of_rows.iter().map(|(_, class)| *class).collect();
            let matrix = matrix(&values);
            let numbers = numbers(&matrix);
            let rows = Rows::new(&matrix, &numbers);
            let fitted = Classifier::fit(&learner, &rows, &classes, 2).expect("a fit").predictor;
            let found = learner.endless(&rows, &classes, 2, &fitted);
            assert_eq!(found.as_ref().map(|found| found.why.contains("together")), expected, "{found:?}");
            let mut places = found.map(|found| found.places).unwrap_or_default();
            places.sort_unstable();
            assert_eq!(places, if exceptions == 0 { vec![0, 1] } else { Vec::new() });
        }
    }

    #[test]
    fn a_row_that_is_far_from_all_others_rules_out_nothing() {
        let parameters = LogisticRegression {
            penalty: Some(Penalty::None),
            max_iterations: Some(1000),
            ..Default::default()
        };
        let learner = Logistic::new(&parameters);
        for far in [1e6, 1e9, 1e12] {
            let value = |row: usize| if row == 0 { far } else { (row * 37 % 41) as f64 - 20.0 };
            let values: Vec<[f64; 1]> = (0..300).map(|row| [value(row)]).collect();
            let rows: Vec<&[f64]> = values.iter().map(<[f64; 1]>::as_slice).collect();
            let classes: Vec<u32> = (0..300).map(|row| u32::from(row * 7 % 3 == 0)).collect();
            let matrix = matrix(&rows);
            let numbers = numbers(&matrix);
            let rows = Rows::new(&matrix, &numbers);
            let fitted = Classifier::fit(&learner, &rows, &classes, 2).expect("a fit").predictor;
            assert_eq!(learner.endless(&rows, &classes, 2, &fitted), None, "{far}");
        }
    }

    #[test]
    fn columns_that_say_together_where_counts_are_0_are_found_from_where_the_solver_stopped() {
        let parameters =
            PoissonRegression { alpha: Some(0.0), max_iterations: Some(1000), ..Default::default() };
        let learner = Poisson::new(&parameters);
        // The sum of the first two columns is 2 where there are no counts, and 0 elsewhere.
        for (exceptions, expected) in [(0, vec![0, 1]), (1, Vec::new())] {
            let mut of_rows: Vec<([f64; 3], f64)> = Vec::new();
            for (row, (a, b)) in (0..24).map(|row| (row, (row % 2, row / 2 % 4))) {
                let is_counted = a == 0 || (exceptions > 0 && row < 4);
                let values = [f64::from(a + b), f64::from(a - b), f64::from(row * 7 % 5)];
                of_rows.push((values, if is_counted { f64::from(1 + row % 3) } else { 0.0 }));
            }
            let values: Vec<&[f64]> = of_rows.iter().map(|(values, _)| values.as_slice()).collect();
            let counts: Vec<f64> = of_rows.iter().map(|(_, count)| *count).collect();
            let matrix = matrix(&values);
            let numbers = numbers(&matrix);
            let rows = Rows::new(&matrix, &numbers);
            let fitted = Regressor::fit(&learner, &rows, &counts).expect("a fit").predictor;
            let found = learner.endless(&rows, &counts, &fitted);
            let mut places = found.map(|found| found.places).unwrap_or_default();
            places.sort_unstable();
            assert_eq!(places, expected);
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
