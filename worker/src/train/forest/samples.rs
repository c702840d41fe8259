//! The rows of a tree that grows: each node has a range of them, and a split puts its left side first.
//!
//! Must not know features.

use std::ops::Range;

use super::impurity::Criterion;
use super::search::NodeRows;

/// Rows and their targets, of which each node has a range.
pub(super) struct Samples<I> {
    pub(super) rows: Vec<u32>,
    pub(super) items: Vec<I>,
}

/// Room for the rows that go right, while the others are moved.
pub(super) type Spare<I> = Samples<I>;

impl<I> Default for Samples<I> {
    fn default() -> Self {
        Self { rows: Vec::new(), items: Vec::new() }
    }
}

impl<I: Copy> Samples<I> {
    /// The targets of a node's rows.
    pub(super) fn items(&self, range: &Range<usize>) -> &[I] {
        self.items.get(range.clone()).unwrap_or_default()
    }

    /// A node's rows with their targets.
    pub(super) fn node<C: Criterion<Item = I>>(&self, range: &Range<usize>) -> NodeRows<'_, C> {
        NodeRows { rows: self.rows.get(range.clone()).unwrap_or_default(), items: self.items(range) }
    }

    /// A copy of a node's rows.
    pub(super) fn part(&self, range: &Range<usize>) -> Self {
        let rows = self.rows.get(range.clone()).unwrap_or_default().to_vec();
        Self { rows, items: self.items(range).to_vec() }
    }

    /// Puts the rows that go left before the others, all in their order; gives how many they are.
    pub(super) fn partition(
        &mut self,
        range: &Range<usize>,
        goes_left: impl Fn(u32) -> bool,
        spare: &mut Spare<I>,
    ) -> usize {
        let rows = self.rows.get_mut(range.clone()).unwrap_or_default();
        let items = self.items.get_mut(range.clone()).unwrap_or_default();
        spare.rows.clear();
        spare.items.clear();
        let mut left = 0;
        for place in 0..rows.len() {
            let (Some(row), Some(item)) = (rows.get(place).copied(), items.get(place).copied()) else {
                break;
            };
            if goes_left(row) {
                if let (Some(to_row), Some(to_item)) = (rows.get_mut(left), items.get_mut(left)) {
                    (*to_row, *to_item) = (row, item);
                }
                left += 1;
            } else {
                spare.rows.push(row);
                spare.items.push(item);
            }
        }
        rows.iter_mut().skip(left).zip(&spare.rows).for_each(|(to, row)| *to = *row);
        items.iter_mut().skip(left).zip(&spare.items).for_each(|(to, item)| *to = *item);
        left
    }
}
