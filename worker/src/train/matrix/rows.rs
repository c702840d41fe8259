//! Some rows of a matrix, by number, and how those in a file are read.
//!
//! Owns which rows are read together: those that follow each other closely.

use std::ops::Range;
use std::rc::Rc;

use super::{Matrix, Row};
use crate::train::error::TrainError;

/// The most numbers that are read from a file at once: 256 KiB.
const READ_AT_ONCE: usize = 1 << 15;

/// Of stretches of the file in which fewer rows than one in so many are wanted, each row is read alone.
const SPARSE: usize = 8;

/// Rows that were read from a file together.
#[derive(Debug, Default)]
pub(super) struct Block {
    rows: Range<usize>,
    numbers: Rc<Vec<f64>>,
}

impl Block {
    /// A row; `end` says up to where rows are read with it, where it was not read yet.
    pub(super) fn row<'a>(
        &mut self,
        matrix: &'a Matrix,
        number: usize,
        end: impl FnOnce() -> usize,
    ) -> Row<'a> {
        let Some(scratch) = &matrix.scratch else { return Row::held(matrix.held(number)) };
        if number >= matrix.rows {
            return Row::held(&[]);
        }
        if !self.rows.contains(&number) {
            let most = number + Self::most(matrix.width);
            self.rows = number..end().clamp(number + 1, most).min(matrix.rows);
            self.numbers = Rc::new(scratch.read(self.rows.clone()));
        }
        let start = (number - self.rows.start) * matrix.width;
        Row::read(&self.numbers, start..start + matrix.width)
    }

    /// The most rows that are read at once.
    fn most(width: usize) -> usize {
        (READ_AT_ONCE / width.max(1)).max(1)
    }
}

/// By what rows are parted where some are kept back while an algorithm learns, so that those it learns from do not give them away: a
/// number or a time for each row of the matrix.
#[derive(Clone, Copy, Debug, Default)]
pub enum PartedBy<'a> {
    /// Nothing: by chance.
    #[default]
    Chance,
    /// Rows of one number stay together.
    Groups(&'a [u32]),
    /// The newest rows are kept back.
    Times(&'a [f64]),
}

/// Some rows of a matrix, by number.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    matrix: &'a Matrix,
    numbers: &'a [u32],
    parted_by: PartedBy<'a>,
}

impl<'a> Rows<'a> {
    /// These rows of the matrix, in this order.
    #[must_use]
    pub fn new(matrix: &'a Matrix, numbers: &'a [u32]) -> Self {
        Self { matrix, numbers, parted_by: PartedBy::Chance }
    }

    /// The same rows, of which some are to be kept back in this way.
    pub(in crate::train) fn parted_by(self, parted_by: PartedBy<'a>) -> Self {
        Self { parted_by, ..self }
    }

    /// How some of the rows are to be kept back.
    pub(in crate::train) fn to_part(self) -> PartedBy<'a> {
        self.parted_by
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// How many columns there are.
    #[must_use]
    pub fn width(&self) -> usize {
        self.matrix.width
    }

    /// The matrix that the rows are of.
    pub(in crate::train) fn matrix(&self) -> &'a Matrix {
        self.matrix
    }

    /// The rows' numbers in the matrix.
    #[must_use]
    pub fn numbers(&self) -> &'a [u32] {
        self.numbers
    }

    /// Other rows of the same matrix.
    #[must_use]
    pub fn select<'b>(&self, numbers: &'b [u32]) -> Rows<'b>
    where
        'a: 'b,
    {
        Rows { matrix: self.matrix, numbers, parted_by: self.parted_by }
    }

    /// A part of the rows, each with its number in the matrix.
    pub fn range(&self, range: Range<usize>) -> impl Iterator<Item = (usize, Row<'a>)> + use<'a> {
        let (matrix, mut block) = (self.matrix, Block::default());
        let numbers = self.numbers.get(range).unwrap_or_default();
        numbers.iter().enumerate().map(move |(place, number)| {
            let number = *number as usize;
            let end = || read_to(numbers.get(place..).unwrap_or_default(), Block::most(matrix.width));
            (number, block.row(matrix, number, end))
        })
    }

    /// All rows, each with its number in the matrix.
    pub fn iter(&self) -> impl Iterator<Item = (usize, Row<'a>)> + use<'a> {
        self.range(0..self.numbers.len())
    }

    /// As [`Matrix::check`].
    ///
    /// # Errors
    /// As [`Matrix::check`].
    pub fn check(&self) -> Result<(), TrainError> {
        self.matrix.check()
    }
}

/// Up to where it pays to read from the first of these rows on, at most so many: its end alone where few of them follow closely.
fn read_to(numbers: &[u32], most: usize) -> usize {
    let Some(first) = numbers.first() else { return 0 };
    let near = numbers
        .iter()
        .take(most)
        .take_while(|number| number.checked_sub(*first).is_some_and(|distance| (distance as usize) < most));
    let (count, last) = near.fold((0, *first), |(count, last), number| (count + 1, last.max(*number)));
    let span = (last - first) as usize + 1;
    *first as usize + if count * SPARSE >= span { span } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_close_to_each_other_are_read_together_and_others_alone() {
        assert_eq!(read_to(&[5, 6, 7, 8], 3), 8);
        assert_eq!(read_to(&[5, 9, 13], 100), 14);
        assert_eq!(read_to(&[5, 105, 205], 1000), 6);
        assert_eq!(read_to(&[5, 4, 6], 100), 6, "rows before it are read alone");
        assert_eq!(read_to(&[], 100), 0);
    }
}
