//! The rows to learn from: one matrix of 64-bit numbers in memory.
//!
//! Owns the layout. Training holds rows × features × 8 bytes, once: splits and folds are lists of row numbers, and
//! algorithms copy a few hundred rows at a time. Must not know of tables, columns' names or targets.

use std::ops::Range;

use ndarray::{Array2, ArrayViewMut2, Axis, Slice};

/// Rows in one chunk. Chunks let the matrix grow without ever being copied to a larger place.
const CHUNK_ROWS: usize = 1 << 15;

/// Rows that an algorithm works on at once: their numbers stay in the processor's cache.
pub(crate) const BLOCK_ROWS: usize = 256;

/// A growing matrix, row by row.
#[derive(Clone, Debug)]
pub struct Matrix {
    width: usize,
    rows: usize,
    chunks: Vec<Vec<f64>>,
}

impl Matrix {
    /// A matrix of this many columns and no rows.
    #[must_use]
    pub fn new(width: usize) -> Self {
        Self { width, rows: 0, chunks: Vec::new() }
    }

    /// Adds rows, which follow each other in the slice; numbers that do not make up a whole row at its end are left out.
    pub fn extend(&mut self, numbers: &[f64]) {
        for row in numbers.chunks_exact(self.width.max(1)) {
            let chunk = self.rows / CHUNK_ROWS;
            if chunk == self.chunks.len() {
                // The first chunk grows, so that little data takes little memory; later ones are made whole.
                let capacity = if chunk == 0 { 0 } else { CHUNK_ROWS * self.width };
                self.chunks.push(Vec::with_capacity(capacity));
            }
            if let Some(chunk) = self.chunks.get_mut(chunk) {
                chunk.extend_from_slice(row);
                self.rows += 1;
            }
        }
    }

    /// How many columns there are.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// One row; empty when there is no such row.
    #[must_use]
    pub fn row(&self, number: usize) -> &[f64] {
        let start = (number % CHUNK_ROWS) * self.width;
        self.chunks
            .get(number / CHUNK_ROWS)
            .and_then(|chunk| chunk.get(start..start + self.width))
            .unwrap_or_default()
    }
}

impl Matrix {
    /// A copy with some of the columns.
    #[must_use]
    pub fn select_columns(&self, places: &[usize]) -> Self {
        let (mut copy, mut selected) = (Self::new(places.len()), Vec::with_capacity(places.len()));
        for number in 0..self.rows {
            let row = self.row(number);
            selected.clear();
            selected.extend(places.iter().filter_map(|place| row.get(*place)));
            copy.extend(&selected);
        }
        copy
    }
}

/// Some rows of a matrix, by number.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    matrix: &'a Matrix,
    numbers: &'a [u32],
}

impl<'a> Rows<'a> {
    /// These rows of the matrix, in this order.
    #[must_use]
    pub fn new(matrix: &'a Matrix, numbers: &'a [u32]) -> Self {
        Self { matrix, numbers }
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
        Rows { matrix: self.matrix, numbers }
    }

    /// A part of the rows, each with its number in the matrix.
    pub fn range(&self, range: Range<usize>) -> impl Iterator<Item = (usize, &'a [f64])> + use<'a> {
        let matrix = self.matrix;
        self.numbers.get(range).unwrap_or_default().iter().map(move |number| {
            let number = *number as usize;
            (number, matrix.row(number))
        })
    }

    /// All rows, each with its number in the matrix.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &'a [f64])> + use<'a> {
        self.range(0..self.numbers.len())
    }
}

/// The first rows of a block, all of them when there are not as many.
pub(crate) fn top(block: &mut Array2<f64>, rows: usize) -> ArrayViewMut2<'_, f64> {
    let rows = rows.min(block.nrows());
    block.slice_axis_mut(Axis(0), Slice::from(..rows))
}

/// Cuts a range of rows into blocks of at most [`BLOCK_ROWS`].
pub(crate) fn blocks(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range.step_by(BLOCK_ROWS).map(move |start| start..end.min(start + BLOCK_ROWS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_again_over_the_bounds_of_chunks() {
        let mut matrix = Matrix::new(3);
        let count = CHUNK_ROWS * 2 + 5;
        for row in 0..count {
            matrix.extend(&[row as f64, 0.5, -(row as f64)]);
        }
        assert_eq!(matrix.rows(), count);
        for row in [0, 1, CHUNK_ROWS - 1, CHUNK_ROWS, 2 * CHUNK_ROWS, count - 1] {
            assert_eq!(matrix.row(row), [row as f64, 0.5, -(row as f64)]);
        }
        assert!(matrix.row(count).is_empty());
    }

    #[test]
    fn blocks_cover_a_range_once() {
        let all: Vec<usize> = blocks(7..1000).flatten().collect();
        assert_eq!(all, (7..1000).collect::<Vec<_>>());
        assert!(blocks(5..5).next().is_none());
    }
}
