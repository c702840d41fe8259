//! Means of the target that the rows to learn from have: each row's own had no part in them.
//!
//! Must not know how they are made.

use crate::preprocess::ColumnScale;

/// What rows to learn from get in place of what any other row gets: means of the target that their own had no part in.
pub(super) struct Crossed {
    /// The first of the model's columns that they are.
    pub(super) start: usize,
    pub(super) width: usize,
    /// Those of one row after the other.
    pub(super) means: Vec<f64>,
}

impl Crossed {
    /// Writes the means of the row at this place among those to learn from.
    pub(super) fn write(&self, place: usize, row: &mut [f64]) {
        row.iter_mut().skip(self.start).zip(self.of(place)).for_each(|(number, mean)| *number = *mean);
    }

    /// The means of the row at this place among those to learn from.
    pub(super) fn of(&self, place: usize) -> &[f64] {
        self.means.get(place * self.width..(place + 1) * self.width).unwrap_or_default()
    }

    /// Brings the means to the scale of the columns that they are.
    pub(super) fn scale(&mut self, scales: &[ColumnScale]) {
        let columns = self.start..self.start + self.width;
        for scale in scales.iter().filter(|scale| columns.contains(&(scale.column as usize))) {
            let place = scale.column as usize - self.start;
            self.means.iter_mut().skip(place).step_by(self.width).for_each(|mean| *mean = scale.apply(*mean));
        }
    }
}
