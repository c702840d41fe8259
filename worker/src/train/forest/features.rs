//! The features of the rows, as the search for splits needs them.

use super::random::Values;
use super::ranks::Column;
use super::search::Candidate;

/// The features of all rows.
pub(super) enum Features {
    /// For the best splits.
    Ranked(Vec<Column>),
    /// For random ones.
    Plain(Values),
}

impl Features {
    /// How many there are.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Ranked(columns) => columns.len(),
            Self::Plain(values) => values.width(),
        }
    }

    /// Whether a row goes left.
    #[inline]
    pub(super) fn goes_left(&self, row: u32, split: &Candidate) -> bool {
        match self {
            Self::Ranked(columns) => {
                let column = columns.get(split.feature);
                column
                    .and_then(|column| column.ranks.get(row as usize))
                    .is_some_and(|rank| *rank <= split.rank)
            }
            Self::Plain(values) => values.value(row, split.feature) <= split.threshold,
        }
    }
}
