//! The triangular factor of a tall matrix, found while its rows stream by.
//!
//! Householder's QR decomposition of a triangle on top of a block of rows (J. Demmel and others, "Communication-optimal
//! parallel and sequential QR and LU factorizations", SIAM J. Sci. Comput. 34, 2012): as exact as the decomposition of the
//! whole matrix, in memory of columns² numbers. Sums of squares and products would lose half of the digits.

use super::vector::{add, dot};

/// An upper triangular matrix R with RᵀR = AᵀA for the matrix A of the rows taken in so far.
#[derive(Clone, Debug)]
pub(super) struct Triangle {
    width: usize,
    /// Row by row.
    entries: Vec<f64>,
}

impl Triangle {
    /// The factor of no rows.
    pub(super) fn new(width: usize) -> Self {
        Self { width, entries: vec![0.0; width * width] }
    }

    /// One entry; 0 outside.
    pub(super) fn entry(&self, row: usize, column: usize) -> f64 {
        self.entries.get(row * self.width + column).copied().unwrap_or_default()
    }

    /// Takes in a block of rows, which is given column by column and is used up.
    pub(super) fn absorb(&mut self, block: &mut [f64]) {
        let rows = block.len() / self.width.max(1);
        if rows == 0 {
            return;
        }
        let mut rest = block;
        for (index, own) in self.entries.chunks_exact_mut(self.width).enumerate() {
            let (column, others) = rest.split_at_mut(rows);
            reflect(own.get_mut(index..).unwrap_or_default(), column, others);
            rest = others;
        }
    }

    /// Takes in the rows that another triangle stands for.
    pub(super) fn merge(&mut self, other: &Self) {
        let mut block: Vec<f64> = (0..self.width)
            .flat_map(|column| (0..self.width).map(move |row| other.entry(row, column)))
            .collect();
        self.absorb(&mut block);
    }
}

/// The smallest square of a column that counts, of columns that are about as large as 1: far below their digits, and far above those of the
/// numbers that no longer have all of theirs.
const NEGLIGIBLE: f64 = 1e-240;

/// Reflects so that one column of the block becomes 0. `own` is the triangle's row from its diagonal on.
fn reflect(own: &mut [f64], column: &[f64], others: &mut [f64]) {
    let Some((diagonal, own)) = own.split_first_mut() else { return };
    let squares = dot(column, column);
    // What is left of a column that others explain becomes smaller with each block, and its square loses its digits.
    if squares == 0.0 || *diagonal * *diagonal + squares < NEGLIGIBLE {
        return;
    }
    let norm = (*diagonal * *diagonal + squares).sqrt();
    let image = if *diagonal > 0.0 { -norm } else { norm };
    let head = *diagonal - image;
    let factor = 2.0 / (head * head + squares);
    *diagonal = image;
    for (own, other) in own.iter_mut().zip(others.chunks_exact_mut(column.len())) {
        let share = factor * (head * *own + dot(column, other));
        *own -= share * head;
        add(other, -share, column);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_factor_has_the_rows_products_however_they_are_cut(
            numbers in prop::collection::vec(-5.0..5.0_f64, 4 * 12), cut in 0..12_usize
        ) {
            let part = |rows: std::ops::Range<usize>| {
                let mut triangle = Triangle::new(4);
                let mut block: Vec<f64> =
                    (0..4).flat_map(|c| rows.clone().map(move |r| (r, c))).map(|(r, c)| numbers[r * 4 + c]).collect();
                triangle.absorb(&mut block);
                triangle
            };
            let mut triangle = part(0..cut);
            triangle.merge(&part(cut..12));
            for a in 0..4 {
                for b in 0..4 {
                    let expected: f64 = (0..12).map(|r| numbers[r * 4 + a] * numbers[r * 4 + b]).sum();
                    let found: f64 = (0..4).map(|r| triangle.entry(r, a) * triangle.entry(r, b)).sum();
                    prop_assert!((expected - found).abs() < 1e-11 * (1.0 + expected.abs()));
                    prop_assert!(a <= b || triangle.entry(a, b) == 0.0);
                }
            }
        }
    }
}
