//! Finding the split of one node: the best by exact search, or the best of random ones.
//!
//! The scratch space is one for each thread. Must not know how a tree grows.

use super::super::middle::middle;
use super::super::shuffle::Shuffler;
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
    /// The last rank that goes left.
    pub(super) rank: u32,
    pub(super) threshold: f64,
    pub(super) score: f64,
}

/// What is used again for each node.
#[derive(Default)]
pub(super) struct Scratch {
    keys: Vec<u64>,
    spare: Vec<u64>,
    ranks: Vec<u32>,
}

/// What comes of drawing a threshold.
pub(super) enum Random {
    /// A split.
    Split(Candidate),
    /// One that leaves too few rows at a side.
    TooSmall,
    /// None: the feature has one value only in the node.
    Constant,
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
    Some(Candidate { feature, rank, threshold: middle(value(rank)?, value(next)?), score })
}

/// A random split of one feature: a threshold somewhere between the smallest and the largest value of the node.
pub(super) fn random<C: Criterion>(
    criterion: &C,
    feature: usize,
    column: &Column,
    node: &NodeRows<'_, C>,
    min_leaf: usize,
    shuffler: &mut Shuffler,
    scratch: &mut Scratch,
) -> Random {
    scratch.ranks.clear();
    scratch.ranks.extend(node.rows.iter().map(|row| column.ranks.get(*row as usize).copied().unwrap_or(0)));
    let (mut low, mut high) = (u32::MAX, 0);
    for rank in &scratch.ranks {
        low = low.min(*rank);
        high = high.max(*rank);
    }
    if low >= high {
        return Random::Constant;
    }
    let values = column.values.get(low as usize..=high as usize).unwrap_or_default();
    let (Some(first), Some(last)) = (values.first().copied(), values.last().copied()) else {
        return Random::Constant;
    };
    let drawn = first + shuffler.fraction() * (last / 2.0 - first / 2.0) * 2.0;
    let threshold = if drawn >= first && drawn < last { drawn } else { first };
    let rank = low + values.partition_point(|value| *value <= threshold) as u32 - 1;
    let (mut left, mut right, mut count) = (criterion.empty(), criterion.empty(), 0);
    for (found, item) in scratch.ranks.iter().zip(node.items) {
        let goes_left = *found <= rank;
        criterion.add(if goes_left { &mut left } else { &mut right }, *item);
        count += usize::from(goes_left);
    }
    let enough = count >= min_leaf && node.rows.len() - count >= min_leaf;
    if !enough {
        return Random::TooSmall;
    }
    let score = criterion.score(&left) + criterion.score(&right);
    Random::Split(Candidate { feature, rank, threshold, score })
}

/// Whether a feature has one value only in a node.
pub(super) fn is_constant(column: &Column, rows: &[u32]) -> bool {
    let mut ranks = rows.iter().map(|row| column.ranks.get(*row as usize));
    let first = ranks.next();
    ranks.all(|rank| Some(rank) == first)
}
