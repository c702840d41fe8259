//! The values of a few rows, column by column, for what looks at one column after the other: rows lie one behind the other in memory or in a file,
//! where each look at a column fetches all of them again.
//!
//! Must not know what is looked for.

use super::matrix::Rows;

/// Values of some rows.
pub(super) struct SampledRows {
    /// Which rows of the table they are of.
    numbers: Vec<u32>,
    columns: Vec<Vec<f64>>,
}

impl SampledRows {
    /// At most so many of the rows, which lie at equal distances.
    pub(super) fn of(rows: &Rows<'_>, most: usize) -> Self {
        let step = rows.len().div_ceil(most.max(1)).max(1);
        let numbers: Vec<u32> = rows.numbers().iter().copied().step_by(step).collect();
        let mut columns = vec![Vec::with_capacity(numbers.len()); rows.width()];
        for (_, row) in rows.select(&numbers).iter() {
            for (column, value) in columns.iter_mut().zip(row.iter()) {
                column.push(*value);
            }
        }
        Self { numbers, columns }
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// The values of the column at this place, each with its row's number.
    pub(super) fn values(&self, place: usize) -> impl Iterator<Item = (usize, f64)> + use<'_> {
        let values = self.columns.get(place).map_or(&[][..], Vec::as_slice);
        self.numbers.iter().zip(values).map(|(number, value)| (*number as usize, *value))
    }
}
