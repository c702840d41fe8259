//! Growing one tree by exact or random splits, depth first.
//!
//! Must not know what kind of target there is, nor how many trees are grown.

use std::ops::Range;

use super::super::error::TrainError;
use super::super::parallel::over_items;
use super::super::shuffle::Shuffler;
use super::impurity::Criterion;
use super::ranks::Column;
use super::search::{Candidate, NodeRows, Random, Scratch, best, is_constant, random};
use crate::model::{Split, Tree, TreeBuilder};

/// When a node becomes a leaf, and what splits it may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Growth {
    pub(super) max_depth: usize,
    pub(super) min_samples_split: usize,
    pub(super) min_samples_leaf: usize,
    /// Features that are looked at for a split; all where it is their number.
    pub(super) max_features: usize,
    /// Random thresholds in place of the best.
    pub(super) random: bool,
}

/// Rows of a node below which its features are not shared out among threads.
const MIN_SHARED_ROWS: usize = 1 << 15;

/// A tree's nodes in preorder; leaves' values are in one list.
#[derive(Default)]
struct Nodes {
    parts: Vec<Part>,
    values: Vec<f64>,
}

enum Part {
    Split(Split),
    Leaf,
    /// A node whose tree is grown apart.
    Subtree(usize),
}

/// Rows and their targets, of which each node has a range.
struct Samples<I> {
    rows: Vec<u32>,
    items: Vec<I>,
}

struct Open {
    range: Range<usize>,
    depth: usize,
}

/// Grows trees over the same features.
pub(super) struct Grower<'a, C: Criterion> {
    pub(super) columns: &'a [Column],
    pub(super) criterion: &'a C,
    pub(super) growth: Growth,
}

impl<C: Criterion> Grower<'_, C> {
    /// Grows a tree by one thread.
    pub(super) fn grow(
        &self,
        rows: Vec<u32>,
        items: Vec<C::Item>,
        shuffler: &mut Shuffler,
    ) -> Result<Tree, TrainError> {
        let whole = Open { range: 0..rows.len(), depth: 0 };
        let mut nodes = Nodes::default();
        let mut samples = Samples { rows, items };
        let mut scratch = Scratch::default();
        self.expand(&mut samples, whole, &mut nodes, |open, samples| {
            Step::Split(self.search(open, samples, shuffler, &mut scratch))
        });
        self.assemble(nodes, &[])
    }

    /// Grows a tree whose splits are not random by all threads: large nodes feature by feature, small ones as trees of their
    /// own. The tree is the one that [`Grower::grow`] gives.
    pub(super) fn grow_shared(&self, rows: Vec<u32>, items: Vec<C::Item>) -> Result<Tree, TrainError> {
        let whole = Open { range: 0..rows.len(), depth: 0 };
        let mut nodes = Nodes::default();
        let mut samples = Samples { rows, items };
        let mut apart = Vec::new();
        self.expand(&mut samples, whole, &mut nodes, |open, samples| {
            if open.range.len() >= MIN_SHARED_ROWS {
                return Step::Split(self.search_shared(open, samples));
            }
            let rows = samples.rows.get(open.range.clone()).unwrap_or_default().to_vec();
            let items = samples.items.get(open.range.clone()).unwrap_or_default().to_vec();
            apart.push((Samples { rows, items }, open.depth));
            Step::Apart(apart.len() - 1)
        });
        let subtrees = over_items(apart, |(mut samples, depth)| {
            let mut nodes = Nodes::default();
            let whole = Open { range: 0..samples.rows.len(), depth };
            let (mut scratch, mut shuffler) = (Scratch::default(), Shuffler::new(0));
            self.expand(&mut samples, whole, &mut nodes, |open, samples| {
                Step::Split(self.search(open, samples, &mut shuffler, &mut scratch))
            });
            nodes
        });
        self.assemble(nodes, &subtrees)
    }

    /// Splits nodes until all are leaves.
    fn expand(
        &self,
        samples: &mut Samples<C::Item>,
        whole: Open,
        nodes: &mut Nodes,
        mut step: impl FnMut(&Open, &Samples<C::Item>) -> Step,
    ) {
        let mut open = vec![whole];
        let mut spare = (Vec::new(), Vec::new());
        while let Some(node) = open.pop() {
            let items = samples.items.get(node.range.clone()).unwrap_or_default();
            let is_leaf = node.depth >= self.growth.max_depth
                || items.len() < self.growth.min_samples_split
                || items.len() < self.growth.min_samples_leaf.saturating_mul(2)
                || self.criterion.is_pure(items);
            let step = if is_leaf { Step::Split(None) } else { step(&node, samples) };
            match step {
                Step::Apart(number) => nodes.parts.push(Part::Subtree(number)),
                Step::Split(None) => {
                    nodes.parts.push(Part::Leaf);
                    self.criterion.leaf(items_of(samples, &node), &mut nodes.values);
                }
                Step::Split(Some(best)) => {
                    nodes.parts.push(Part::Split(Split {
                        feature: best.feature as u32,
                        threshold: best.threshold,
                        // Nothing is missing where the tree is grown; later, a missing value goes where most rows go.
                        missing_left: false,
                    }));
                    let place = nodes.parts.len() - 1;
                    let left = self.partition(samples, &node.range, &best, &mut spare);
                    if let Some(Part::Split(split)) = nodes.parts.get_mut(place) {
                        split.missing_left = 2 * left > node.range.len();
                    }
                    let (middle, depth) = (node.range.start + left, node.depth + 1);
                    open.push(Open { range: middle..node.range.end, depth });
                    open.push(Open { range: node.range.start..middle, depth });
                }
            }
        }
    }

    /// The best split among as many features as are to be looked at; more only while all of them have one value each.
    fn search(
        &self,
        open: &Open,
        samples: &Samples<C::Item>,
        shuffler: &mut Shuffler,
        scratch: &mut Scratch,
    ) -> Option<Candidate> {
        let node = node_rows::<C>(samples, open);
        let mut found: Option<Candidate> = None;
        let min_leaf = self.growth.min_samples_leaf;
        // Whether the feature has more than one value here.
        let mut look = |feature: usize, all: bool, shuffler: &mut Shuffler| {
            let Some(column) = self.columns.get(feature) else { return false };
            if self.growth.random {
                match random(self.criterion, feature, column, &node, min_leaf, shuffler, scratch) {
                    Random::Constant => return false,
                    Random::TooSmall => {}
                    Random::Split(candidate) => take_better(&mut found, Some(candidate)),
                }
            } else {
                if !all && is_constant(column, node.rows) {
                    return false;
                }
                take_better(&mut found, best(self.criterion, feature, column, &node, min_leaf, scratch));
            }
            true
        };
        let count = self.columns.len();
        if self.growth.max_features >= count && !self.growth.random {
            for feature in 0..count {
                look(feature, true, shuffler);
            }
            return found;
        }
        let mut features: Vec<usize> = (0..count).collect();
        let (mut looked, mut varied) = (0, false);
        while looked < count && (looked < self.growth.max_features || !varied) {
            let drawn = looked + shuffler.below((count - looked) as u64) as usize;
            features.swap(looked, drawn);
            let feature = features.get(looked).copied().unwrap_or(0);
            looked += 1;
            varied |= look(feature, false, shuffler);
        }
        found
    }

    fn search_shared(&self, open: &Open, samples: &Samples<C::Item>) -> Option<Candidate> {
        let node = node_rows::<C>(samples, open);
        let features = self.columns.iter().enumerate().collect();
        let candidates = over_items(features, |(feature, column)| {
            best(
                self.criterion,
                feature,
                column,
                &node,
                self.growth.min_samples_leaf,
                &mut Scratch::default(),
            )
        });
        let mut found = None;
        candidates.into_iter().for_each(|candidate| take_better(&mut found, candidate));
        found
    }

    /// Puts the rows that go left before the others, all in their order; gives how many they are.
    fn partition(
        &self,
        samples: &mut Samples<C::Item>,
        range: &Range<usize>,
        best: &Candidate,
        spare: &mut (Vec<u32>, Vec<C::Item>),
    ) -> usize {
        let ranks = self.columns.get(best.feature).map(|column| column.ranks.as_slice()).unwrap_or_default();
        let rows = samples.rows.get_mut(range.clone()).unwrap_or_default();
        let items = samples.items.get_mut(range.clone()).unwrap_or_default();
        spare.0.clear();
        spare.1.clear();
        let mut left = 0;
        for place in 0..rows.len() {
            let (Some(row), Some(item)) = (rows.get(place).copied(), items.get(place).copied()) else {
                break;
            };
            if ranks.get(row as usize).is_some_and(|rank| *rank <= best.rank) {
                if let (Some(to_row), Some(to_item)) = (rows.get_mut(left), items.get_mut(left)) {
                    (*to_row, *to_item) = (row, item);
                }
                left += 1;
            } else {
                spare.0.push(row);
                spare.1.push(item);
            }
        }
        rows.iter_mut().skip(left).zip(&spare.0).for_each(|(to, row)| *to = *row);
        items.iter_mut().skip(left).zip(&spare.1).for_each(|(to, item)| *to = *item);
        left
    }

    fn assemble(&self, nodes: Nodes, subtrees: &[Nodes]) -> Result<Tree, TrainError> {
        let mut tree = TreeBuilder::new(self.criterion.outputs());
        let mut values = nodes.values.chunks_exact(self.criterion.outputs());
        for part in &nodes.parts {
            match part {
                Part::Split(split) => tree.split(*split)?,
                Part::Leaf => tree.leaf(values.next().unwrap_or_default())?,
                Part::Subtree(number) => {
                    let Some(subtree) = subtrees.get(*number) else { continue };
                    let mut values = subtree.values.chunks_exact(self.criterion.outputs());
                    for part in &subtree.parts {
                        match part {
                            Part::Split(split) => tree.split(*split)?,
                            _ => tree.leaf(values.next().unwrap_or_default())?,
                        }
                    }
                }
            }
        }
        Ok(tree.finish()?)
    }
}

/// What becomes of a node.
enum Step {
    /// Its split; none makes it a leaf.
    Split(Option<Candidate>),
    /// It is grown apart, under this number.
    Apart(usize),
}

fn items_of<'a, I>(samples: &'a Samples<I>, open: &Open) -> &'a [I] {
    samples.items.get(open.range.clone()).unwrap_or_default()
}

fn node_rows<'a, C: Criterion>(samples: &'a Samples<C::Item>, open: &Open) -> NodeRows<'a, C> {
    NodeRows {
        rows: samples.rows.get(open.range.clone()).unwrap_or_default(),
        items: items_of(samples, open),
    }
}

fn take_better(best: &mut Option<Candidate>, other: Option<Candidate>) {
    if let Some(other) = other
        && best.as_ref().is_none_or(|best| other.score > best.score)
    {
        *best = Some(other);
    }
}

#[cfg(test)]
mod tests {
    use super::super::impurity::{ClassItem, Gini};
    use super::*;

    #[test]
    fn threads_together_grow_the_tree_that_one_grows_alone() {
        let count = 3 * MIN_SHARED_ROWS as u32;
        let column = |factor: u64, values: u32| Column {
            ranks: (0..count).map(|row| (u64::from(row) * factor % u64::from(values)) as u32).collect(),
            values: (0..values).map(f64::from).collect(),
        };
        let columns = [column(2_654_435_761, 997), column(40_503, 50_021), column(7, 3)];
        let class =
            |row: u32| u32::from(row.wrapping_mul(2_246_822_519) >> 28 > columns[0].ranks[row as usize] / 70);
        let items: Vec<_> = (0..count).map(|row| ClassItem { class: class(row), weight: 1 }).collect();
        let growth = Growth {
            max_depth: 12,
            min_samples_split: 2,
            min_samples_leaf: 5,
            max_features: columns.len(),
            random: false,
        };
        let grower = Grower { columns: &columns, criterion: &Gini(2), growth };
        let rows: Vec<u32> = (0..count).collect();
        let alone = grower.grow(rows.clone(), items.clone(), &mut Shuffler::new(0)).expect("a tree");
        assert!(alone.leaves() > 50, "{}", alone.leaves());
        assert_eq!(grower.grow_shared(rows, items).expect("a tree"), alone);
    }
}
