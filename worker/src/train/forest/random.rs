//! Random splits of one node, which look at the values themselves: a threshold somewhere between the smallest and the largest.
//!
//! Owns the values row by row, so that what a node's rows have in several features lies together in the processor's cache. Must not
//! know how a tree grows.

use super::super::error::TrainError;
use super::super::matrix::Rows;
use super::super::shuffle::Shuffler;
use super::impurity::Criterion;
use super::ranks::missing;
use super::search::{Candidate, NodeRows};

/// The features of every row, one row after the other.
#[derive(Debug)]
pub(super) struct Values {
    width: usize,
    numbers: Vec<f64>,
}

impl Values {
    /// The values of these rows.
    ///
    /// # Errors
    /// When a value is missing: these trees look at the values themselves.
    pub(super) fn of(rows: &Rows<'_>) -> Result<Self, TrainError> {
        let mut numbers = Vec::with_capacity(rows.len() * rows.width());
        for (number, row) in rows.iter() {
            if let Some(feature) = row.iter().position(|value| value.is_nan()) {
                return Err(missing(feature, number));
            }
            // Adding 0 makes 0 of -0, which is the same value.
            numbers.extend(row.iter().map(|value| value + 0.0));
        }
        Ok(Self { width: rows.width(), numbers })
    }

    /// How many features a row has.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// What a row has in a feature.
    #[inline]
    pub(super) fn value(&self, row: u32, feature: usize) -> f64 {
        self.numbers.get(row as usize * self.width + feature).copied().unwrap_or_default()
    }
}

/// What is used again for each node.
pub(super) struct Drawing<C: Criterion> {
    values: Vec<f64>,
    sides: [C::Sums; 2],
}

/// What comes of drawing a threshold.
pub(super) enum Drawn {
    /// A split.
    Split(Candidate),
    /// One that leaves too few rows at a side.
    TooSmall,
    /// None: the feature has one value only in the node.
    Constant,
}

impl<C: Criterion> Drawing<C> {
    /// Room for this kind of target.
    pub(super) fn new(criterion: &C) -> Self {
        Self { values: Vec::new(), sides: [criterion.empty(), criterion.empty()] }
    }

    /// A random split of one feature.
    pub(super) fn split(
        &mut self,
        criterion: &C,
        values: &Values,
        feature: usize,
        node: &NodeRows<'_, C>,
        min_leaf: usize,
        shuffler: &mut Shuffler,
    ) -> Drawn {
        self.values.clear();
        self.values.extend(node.rows.iter().map(|row| values.value(*row, feature)));
        let (mut first, mut last) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in &self.values {
            first = if *value < first { *value } else { first };
            last = if *value > last { *value } else { last };
        }
        if first >= last {
            return Drawn::Constant;
        }
        let drawn = first + shuffler.fraction() * (last / 2.0 - first / 2.0) * 2.0;
        let threshold = if drawn >= first && drawn < last { drawn } else { first };
        let right = self.values.iter().filter(|value| **value > threshold).count();
        if right < min_leaf || node.rows.len() - right < min_leaf {
            return Drawn::TooSmall;
        }
        let goes_right = self.values.iter().map(|value| *value > threshold);
        criterion.part(&mut self.sides, node.items.iter().copied().zip(goes_right));
        let [left, right] = &self.sides;
        let score = criterion.score(left) + criterion.score(right);
        Drawn::Split(Candidate { feature, threshold, rank: 0, score })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::matrix::Matrix;
    use super::super::impurity::{ClassItem, Gini, NumberItem, SquaredError};
    use super::*;

    fn values(numbers: &[f64]) -> Values {
        let mut matrix = Matrix::new(1);
        matrix.extend(numbers);
        let rows: Vec<u32> = (0..numbers.len() as u32).collect();
        Values::of(&Rows::new(&matrix, &rows)).expect("values")
    }

    fn drawn<C: Criterion>(criterion: &C, numbers: &[f64], items: &[C::Item], min_leaf: usize) -> Drawn {
        let rows: Vec<u32> = (0..numbers.len() as u32).collect();
        let node = NodeRows { rows: &rows, items };
        let values = values(numbers);
        let mut drawing = Drawing::new(criterion);
        // What was used before leaves nothing behind.
        drawing.split(criterion, &values, 0, &node, min_leaf, &mut Shuffler::new(5));
        drawing.split(criterion, &values, 0, &node, min_leaf, &mut Shuffler::new(1))
    }

    #[test]
    fn a_split_scores_what_its_two_sides_do_added_row_by_row() {
        let numbers = [3.0, -1.0, 0.5, 2.0, -4.0, 0.0, 7.0];
        let classes: Vec<_> =
            [0, 1, 1, 2, 0, 1, 2].map(|class| ClassItem { class, weight: class + 1 }).to_vec();
        let targets: Vec<_> = numbers.map(|number| NumberItem { number: number * 0.3, weight: 1.0 }).to_vec();
        fn check<C: Criterion>(criterion: &C, numbers: &[f64], items: &[C::Item]) {
            let Drawn::Split(split) = drawn(criterion, numbers, items, 1) else { panic!("a split") };
            let (mut left, mut right) = (criterion.empty(), criterion.empty());
            for (number, item) in numbers.iter().zip(items) {
                criterion.add(if *number <= split.threshold { &mut left } else { &mut right }, *item);
            }
            assert_eq!(split.score, criterion.score(&left) + criterion.score(&right));
            assert!(split.threshold >= -4.0 && split.threshold < 7.0);
        }
        check(&Gini(3), &numbers, &classes);
        check(&SquaredError { mean: 0.1 }, &numbers, &targets);
    }

    #[test]
    fn a_feature_of_one_value_has_no_split_and_a_side_has_its_fewest_rows() {
        let items = [ClassItem { class: 0, weight: 1 }; 3];
        assert!(matches!(drawn(&Gini(1), &[2.0, 2.0, 2.0], &items, 1), Drawn::Constant));
        assert!(matches!(drawn(&Gini(1), &[0.0, -0.0, 0.0], &items, 1), Drawn::Constant));
        assert!(matches!(drawn(&Gini(1), &[2.0, 1.0, 2.0], &items, 2), Drawn::TooSmall));
    }

    #[test]
    fn a_missing_value_is_named() {
        let mut matrix = Matrix::new(2);
        matrix.extend(&[1.0, 2.0, 3.0, f64::NAN]);
        let error = Values::of(&Rows::new(&matrix, &[0, 1])).expect_err("a value is missing").to_string();
        assert!(error.starts_with("feature 2 has no value in row 2"), "{error}");
    }
}
