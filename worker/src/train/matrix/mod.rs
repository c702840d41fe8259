//! The rows to learn from: one matrix of 64-bit numbers, in memory or, where they do not fit, in a file.
//!
//! Owns the layout, and that both ways give the same rows in the same order. Rows are there once: splits and folds are lists of row
//! numbers, and algorithms copy a few hundred rows at a time. Must not know of tables, columns' names or targets.

use std::ops::Range;
use std::path::Path;
use std::rc::Rc;

mod rows;

use ndarray::{Array2, ArrayViewMut2, Axis, Slice};

pub use rows::{PartedBy, Rows};

use self::rows::Block;
use super::error::TrainError;
use super::row::Row;
use super::scratch_rows::ScratchRows;

/// Rows in one chunk. Chunks let the matrix grow without ever being copied to a larger place.
const CHUNK_ROWS: usize = 1 << 15;

/// Rows that an algorithm works on at once: their numbers stay in the processor's cache.
pub(crate) const BLOCK_ROWS: usize = 256;

/// A growing matrix, row by row.
#[derive(Debug)]
pub struct Matrix {
    width: usize,
    rows: usize,
    chunks: Vec<Vec<f64>>,
    /// All rows, where they are not held in the chunks.
    scratch: Option<ScratchRows>,
}

impl Matrix {
    /// A matrix of this many columns and no rows, in memory.
    #[must_use]
    pub fn new(width: usize) -> Self {
        Self { width, rows: 0, chunks: Vec::new(), scratch: None }
    }

    /// A matrix of this many columns and no rows, in a file in this folder.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn on_scratch(width: usize, folder: &Path) -> Result<Self, TrainError> {
        let scratch = Some(ScratchRows::new(width, folder)?);
        Ok(Self { width, rows: 0, chunks: Vec::new(), scratch })
    }

    /// Moves the rows to a file in this folder, where they are not in one already. Rows that are added go there too.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn spill(&mut self, folder: &Path) -> Result<(), TrainError> {
        if self.scratch.is_none() {
            let mut scratch = ScratchRows::new(self.width, folder)?;
            // Each chunk's memory is free again before the next is written.
            for chunk in std::mem::take(&mut self.chunks) {
                chunk.chunks_exact(self.width.max(1)).for_each(|row| scratch.push(row));
            }
            self.scratch = Some(scratch);
        }
        self.check()
    }

    /// Whether the rows are in a file.
    #[must_use]
    pub fn is_on_scratch(&self) -> bool {
        self.scratch.is_some()
    }

    /// Whether all rows that were read so far were those that are there. What was made of them must not be used before this is known.
    ///
    /// # Errors
    /// When the file could not be written or read.
    pub fn check(&self) -> Result<(), TrainError> {
        self.scratch.as_ref().map_or(Ok(()), ScratchRows::check)
    }

    /// Adds rows, which follow each other in the slice; numbers that do not make up a whole row at its end are left out.
    pub fn extend(&mut self, numbers: &[f64]) {
        for row in numbers.chunks_exact(self.width.max(1)) {
            if let Some(scratch) = &mut self.scratch {
                scratch.push(row);
                self.rows += 1;
                continue;
            }
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
    pub fn row(&self, number: usize) -> Row<'_> {
        match &self.scratch {
            Some(scratch) if number < self.rows => {
                Row::read(&Rc::new(scratch.read(number..number + 1)), 0..self.width)
            }
            Some(_) => Row::held(&[]),
            None => Row::held(self.held(number)),
        }
    }

    /// All rows in their order.
    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        self.stretch(0..self.rows)
    }

    /// Rows that follow each other, in their order.
    pub fn stretch(&self, range: Range<usize>) -> impl Iterator<Item = Row<'_>> {
        let mut block = Block::default();
        range.clone().map(move |number| block.row(self, number, || range.end))
    }

    fn held(&self, number: usize) -> &[f64] {
        let start = (number % CHUNK_ROWS) * self.width;
        self.chunks
            .get(number / CHUNK_ROWS)
            .and_then(|chunk| chunk.get(start..start + self.width))
            .unwrap_or_default()
    }

    /// A copy with some of the columns, in memory or in a file as this one is.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn select_columns(&self, places: &[usize]) -> Result<Self, TrainError> {
        let mut copy = match &self.scratch {
            Some(scratch) => Self::on_scratch(places.len(), scratch.folder())?,
            None => Self::new(places.len()),
        };
        let mut selected = Vec::with_capacity(places.len());
        for row in self.iter() {
            selected.clear();
            selected.extend(places.iter().filter_map(|place| row.get(*place)));
            copy.extend(&selected);
        }
        self.check()?;
        copy.check()?;
        Ok(copy)
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
    use proptest::prelude::*;

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
            assert_eq!(*matrix.row(row), [row as f64, 0.5, -(row as f64)]);
        }
        assert!(matrix.row(count).is_empty());
    }

    proptest! {
        #[test]
        fn rows_are_the_same_in_memory_and_in_a_file(
            width in 1..400_usize,
            before in 0..200_usize,
            after in 0..200_usize,
            wanted in prop::collection::vec(0..400_u32, 0..100),
        ) {
            let folder = tempfile::tempdir().expect("a folder");
            let (mut held, mut moved) = (Matrix::new(width), Matrix::new(width));
            for row in 0..before + after {
                if row == before {
                    moved.spill(folder.path()).expect("a file");
                }
                let numbers: Vec<f64> = (0..width).map(|column| (row * width + column) as f64).collect();
                held.extend(&numbers);
                moved.extend(&numbers);
            }
            moved.spill(folder.path()).expect("a file");
            let of = |matrix: &Matrix| {
                let rows = Rows::new(matrix, &wanted);
                let wanted: Vec<(usize, Vec<f64>)> = rows.iter().map(|(number, row)| (number, row.to_vec())).collect();
                let all: Vec<Vec<f64>> = matrix.iter().map(|row| row.to_vec()).collect();
                let one: Vec<Vec<f64>> = wanted.iter().map(|(number, _)| matrix.row(*number).to_vec()).collect();
                let places: Vec<usize> = (0..width).step_by(3).collect();
                let some = matrix.select_columns(&places).expect("columns");
                let some: Vec<Vec<f64>> = some.iter().map(|row| row.to_vec()).collect();
                (wanted, all, one, some)
            };
            prop_assert_eq!(of(&held), of(&moved));
            prop_assert!(moved.chunks.is_empty() && moved.is_on_scratch());
        }
    }

    #[test]
    fn blocks_cover_a_range_once() {
        let all: Vec<usize> = blocks(7..1000).flatten().collect();
        assert_eq!(all, (7..1000).collect::<Vec<_>>());
        assert!(blocks(5..5).next().is_none());
    }
}
