//! Features in groups, each of which is one thread's work for a leaf: adding up its sums, and finding its best split.

use mlpipeline_crds::Monotonic;

use super::super::parallel::thread_count;
use super::bins::Column;
use super::categories::best_subset;
use super::histogram::{Candidate, Entry, Limits, Sums, Total, accumulate, best_split};

/// Rows whose entries stay in the processor's cache while features are gone through.
const BLOCK_ENTRIES: usize = 8192;

/// Entries times features below which a thread of its own costs more than it saves.
const MIN_PARALLEL: usize = 1 << 17;

/// Some features with their sums in a leaf and, unless empty, in its sibling.
pub(super) struct Group<'a> {
    first: usize,
    columns: &'a [Column],
    directions: &'a [Option<Monotonic>],
    own: &'a mut [Sums],
    others: &'a mut [Sums],
}

/// Cuts the features into groups, one when the work is too little to share.
pub(super) fn groups<'a>(
    columns: &'a [Column],
    directions: &'a [Option<Monotonic>],
    entries: usize,
    mut own: &'a mut [Sums],
    mut others: &'a mut [Sums],
) -> Vec<Group<'a>> {
    let shares = if entries.saturating_mul(columns.len()) < MIN_PARALLEL { 1 } else { 2 * thread_count() };
    let width = columns.len().div_ceil(shares).max(1);
    let mut groups = Vec::new();
    for (number, columns) in columns.chunks(width).enumerate() {
        let size = columns.iter().map(Column::bin_count).sum();
        let (head, tail) = std::mem::take(&mut own).split_at_mut_checked(size).unwrap_or_default();
        let (other_head, other_tail) =
            std::mem::take(&mut others).split_at_mut_checked(size).unwrap_or_default();
        (own, others) = (tail, other_tail);
        groups.push(Group { first: number * width, columns, directions, own: head, others: other_head });
    }
    groups
}

impl Group<'_> {
    /// Adds up this leaf's sums, takes them off the sibling's, and finds the best split of each that may be split.
    pub(super) fn run(
        self,
        entries: &[Entry],
        own_total: Option<&Total>,
        other_total: Option<&Total>,
        limits: &Limits,
    ) -> (Option<Candidate>, Option<Candidate>) {
        for block in entries.chunks(BLOCK_ENTRIES) {
            let mut rest = &mut *self.own;
            for column in self.columns {
                let (sums, tail) = rest.split_at_mut_checked(column.bin_count()).unwrap_or_default();
                accumulate(sums, &column.bins, block);
                rest = tail;
            }
        }
        self.others.iter_mut().zip(&*self.own).for_each(|(other, own)| *other = other.minus(own));
        let best_of = |bins: &[Sums], total: &Total| {
            let (mut best, mut rest) = (None, bins);
            for (number, column) in self.columns.iter().enumerate() {
                let (sums, tail) = rest.split_at_checked(column.bin_count()).unwrap_or_default();
                let feature = self.first + number;
                let direction = self.directions.get(feature).copied();
                let split = if column.is_categories {
                    best_subset(feature, column, sums, total, limits, direction)
                } else {
                    best_split(feature, column, sums, total, limits, direction)
                };
                take_better(&mut best, split);
                rest = tail;
            }
            best
        };
        let own = own_total.and_then(|total| best_of(self.own, total));
        (own, other_total.and_then(|total| best_of(self.others, total)))
    }
}

/// Keeps the better of two splits, the first of equals.
pub(super) fn take_better(best: &mut Option<Candidate>, other: Option<Candidate>) {
    if let Some(other) = other
        && best.as_ref().is_none_or(|best| other.gain > best.gain)
    {
        *best = Some(other);
    }
}
