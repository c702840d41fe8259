//! Growing one tree by exact or random splits, depth first.
//!
//! Must not know what kind of target there is, nor how many trees are grown.

use std::ops::Range;

use super::super::error::TrainError;
use super::super::parallel::over_items;
use super::super::shuffle::Shuffler;
use super::features::Features;
use super::impurity::Criterion;
use super::random::{Drawing, Drawn};
use super::ranks::Column;
use super::samples::Samples;
use super::search::{Candidate, NodeRows, Scratch, best, is_constant};
use crate::model::{Split, Tree, TreeBuilder};

/// When a node becomes a leaf, and what splits it may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Growth {
    pub(super) max_depth: usize,
    pub(super) min_samples_split: usize,
    pub(super) min_samples_leaf: usize,
    /// Features that are looked at for a split; all where it is their number.
    pub(super) max_features: usize,
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

struct Open {
    range: Range<usize>,
    depth: usize,
}

/// Grows trees over the same features.
pub(super) struct Grower<'a, C: Criterion> {
    pub(super) features: &'a Features,
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
        let mut room = Room::new(self.criterion);
        self.expand(&mut samples, whole, &mut nodes, |open, samples| {
            Step::Split(self.search(open, samples, shuffler, &mut room))
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
            if let Features::Ranked(columns) = self.features
                && open.range.len() >= MIN_SHARED_ROWS
            {
                return Step::Split(self.search_shared(columns, open, samples));
            }
            apart.push((samples.part(&open.range), open.depth));
            Step::Apart(apart.len() - 1)
        });
        let subtrees = over_items(apart, |(mut samples, depth)| {
            let mut nodes = Nodes::default();
            let whole = Open { range: 0..samples.rows.len(), depth };
            let (mut room, mut shuffler) = (Room::new(self.criterion), Shuffler::new(0));
            self.expand(&mut samples, whole, &mut nodes, |open, samples| {
                Step::Split(self.search(open, samples, &mut shuffler, &mut room))
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
        let mut spare = Samples::default();
        while let Some(node) = open.pop() {
            let items = samples.items(&node.range);
            let is_leaf = node.depth >= self.growth.max_depth
                || items.len() < self.growth.min_samples_split
                || items.len() < self.growth.min_samples_leaf.saturating_mul(2)
                || self.criterion.is_pure(items);
            let step = if is_leaf { Step::Split(None) } else { step(&node, samples) };
            match step {
                Step::Apart(number) => nodes.parts.push(Part::Subtree(number)),
                Step::Split(None) => {
                    nodes.parts.push(Part::Leaf);
                    self.criterion.leaf(samples.items(&node.range), &mut nodes.values);
                }
                Step::Split(Some(best)) => {
                    nodes.parts.push(Part::Split(Split {
                        feature: best.feature as u32,
                        threshold: best.threshold,
                        // Nothing is missing where the tree is grown; later, a missing value goes where most rows go.
                        missing_left: false,
                    }));
                    let place = nodes.parts.len() - 1;
                    let goes_left = |row| self.features.goes_left(row, &best);
                    let left = samples.partition(&node.range, goes_left, &mut spare);
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
        room: &mut Room<C>,
    ) -> Option<Candidate> {
        let node = samples.node::<C>(&open.range);
        let mut found: Option<Candidate> = None;
        let count = self.features.count();
        if let Features::Ranked(columns) = self.features
            && self.growth.max_features >= count
        {
            let columns = columns.iter().enumerate();
            columns.for_each(|(feature, column)| {
                take_better(&mut found, self.best(feature, column, &node, &mut room.scratch))
            });
            return found;
        }
        room.features.clear();
        room.features.extend(0..count);
        let (mut looked, mut varied) = (0, false);
        while looked < count && (looked < self.growth.max_features || !varied) {
            let drawn = looked + shuffler.below((count - looked) as u64) as usize;
            room.features.swap(looked, drawn);
            let feature = room.features.get(looked).copied().unwrap_or(0);
            looked += 1;
            varied |= self.look(feature, &node, &mut found, shuffler, room);
        }
        found
    }

    /// Takes a feature's split where it is the best so far; gives whether the feature has more than one value here.
    fn look(
        &self,
        feature: usize,
        node: &NodeRows<'_, C>,
        found: &mut Option<Candidate>,
        shuffler: &mut Shuffler,
        room: &mut Room<C>,
    ) -> bool {
        match self.features {
            Features::Ranked(columns) => {
                let Some(column) = columns.get(feature).filter(|column| !is_constant(column, node.rows))
                else {
                    return false;
                };
                take_better(found, self.best(feature, column, node, &mut room.scratch));
            }
            Features::Plain(values) => {
                let min_leaf = self.growth.min_samples_leaf;
                match room.drawing.split(self.criterion, values, feature, node, min_leaf, shuffler) {
                    Drawn::Constant => return false,
                    Drawn::TooSmall => {}
                    Drawn::Split(candidate) => take_better(found, Some(candidate)),
                }
            }
        }
        true
    }

    fn best(
        &self,
        feature: usize,
        column: &Column,
        node: &NodeRows<'_, C>,
        scratch: &mut Scratch,
    ) -> Option<Candidate> {
        best(self.criterion, feature, column, node, self.growth.min_samples_leaf, scratch)
    }

    fn search_shared(
        &self,
        columns: &[Column],
        open: &Open,
        samples: &Samples<C::Item>,
    ) -> Option<Candidate> {
        let node = samples.node::<C>(&open.range);
        let candidates = over_items(columns.iter().enumerate().collect(), |(feature, column)| {
            self.best(feature, column, &node, &mut Scratch::default())
        });
        let mut found = None;
        candidates.into_iter().for_each(|candidate| take_better(&mut found, candidate));
        found
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

/// What is used again for each node, one for each thread.
struct Room<C: Criterion> {
    scratch: Scratch,
    drawing: Drawing<C>,
    /// The features, of which those that are looked at come first.
    features: Vec<usize>,
}

impl<C: Criterion> Room<C> {
    fn new(criterion: &C) -> Self {
        Self { scratch: Scratch::default(), drawing: Drawing::new(criterion), features: Vec::new() }
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
        let columns = vec![column(2_654_435_761, 997), column(40_503, 50_021), column(7, 3)];
        let class =
            |row: u32| u32::from(row.wrapping_mul(2_246_822_519) >> 28 > columns[0].ranks[row as usize] / 70);
        let items: Vec<_> = (0..count).map(|row| ClassItem { class: class(row), weight: 1 }).collect();
        let growth =
            Growth { max_depth: 12, min_samples_split: 2, min_samples_leaf: 5, max_features: columns.len() };
        let features = Features::Ranked(columns);
        let grower = Grower { features: &features, criterion: &Gini(2), growth };
        let rows: Vec<u32> = (0..count).collect();
        let alone = grower.grow(rows.clone(), items.clone(), &mut Shuffler::new(0)).expect("a tree");
        assert!(alone.leaves() > 50, "{}", alone.leaves());
        assert_eq!(grower.grow_shared(rows, items).expect("a tree"), alone);
    }
}
