//! Finding the best split of one feature for one node, by exact search over the ranks of its values.
//!
//! Must not know how a tree grows.

use super::super::middle::middle;
use super::impurity::Criterion;
use super::ranks::{Column, sort};

/// The rows of a node and their targets.
pub(super) struct NodeRows<'a, C: Criterion> {
    pub(super) rows: &'a [u32],
    pub(super) items: &'a [C::Item],
}

/// A split of a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    pub(super) feature: usize,
    /// The largest value that goes left.
    pub(super) threshold: f64,
    /// The last rank that goes left, where features are ranked.
    pub(super) rank: u32,
    pub(super) score: f64,
}

/// What is used again for each node.
#[derive(Default)]
pub(super) struct Scratch {
    keys: Vec<u64>,
    spare: Vec<u64>,
}

/// The best split of one feature where both sides have enough rows; the first of equals.
pub(super) fn best<C: Criterion>(
    criterion: &C,
    feature: usize,
    column: &Column,
    node: &NodeRows<'_, C>,
    min_leaf: usize,
    scratch: &mut Scratch,
) -> Option<Candidate> {
    let rank_of = |row: &u32| column.ranks.get(*row as usize).copied().unwrap_or(0);
    scratch.keys.clear();
    let keys =
        node.rows.iter().enumerate().map(|(place, row)| (u64::from(rank_of(row)) << 32) | place as u64);
    scratch.keys.extend(keys);
    sort(&mut scratch.keys, &mut scratch.spare);
    let (mut left, mut right) = (criterion.empty(), criterion.empty());
    node.items.iter().for_each(|item| criterion.add(&mut right, *item));
    let mut best: Option<(f64, u32, u32)> = None;
    let mut last_rank = scratch.keys.first().map_or(0, |key| (key >> 32) as u32);
    let count = scratch.keys.len();
    for (before, key) in scratch.keys.iter().enumerate() {
        let rank = (key >> 32) as u32;
        if rank != last_rank {
            if before >= min_leaf && count - before >= min_leaf {
                let score = criterion.score(&left) + criterion.score(&right);
                if best.is_none_or(|(best, ..)| score > best) {
                    best = Some((score, last_rank, rank));
                }
            }
            last_rank = rank;
        }
        if let Some(item) = node.items.get(*key as u32 as usize) {
            criterion.add(&mut left, *item);
            criterion.remove(&mut right, *item);
        }
    }
    let (score, rank, next) = best?;
    let value = |rank: u32| column.values.get(rank as usize).copied();
    Some(Candidate { feature, threshold: middle(value(rank)?, value(next)?), rank, score })
}

/// Whether a feature has one value only in a node.
pub(super) fn is_constant(column: &Column, rows: &[u32]) -> bool {
    let mut ranks = rows.iter().map(|row| column.ranks.get(*row as usize));
    let first = ranks.next();
    ranks.all(|rank| Some(rank) == first)
}
