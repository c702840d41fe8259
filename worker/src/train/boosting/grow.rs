//! Growing one tree of boosting, leaf by leaf: the leaf whose split helps most is split next, as in LightGBM and
//! scikit-learn.
//!
//! Of two new leaves only the smaller one's rows are looked at; the other's sums are the parent's without them. Must not
//! know the loss.

use mlpipeline_crds::Monotonic;

use super::super::error::TrainError;
use super::super::parallel::{over_items, over_shards};
use super::bins::Column;
use super::direction::Bounds;
use super::groups::{groups, take_better};
use super::histogram::{Candidate, Entry, GoesLeft, Limits, Sums, Total};
use crate::model::{Split, Subset, Tree, TreeBuilder, TreePart};

/// How trees grow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Growth {
    pub(super) limits: Limits,
    pub(super) max_leaves: usize,
    pub(super) max_depth: usize,
    pub(super) learning_rate: f64,
}

/// The step of a leaf's rows, by their scores.
pub(super) type Settle<'a> = dyn Fn(&[Entry], &[f64]) -> f64 + Sync + 'a;

/// A node of a tree that grows.
enum Node {
    Leaf(Leaf),
    Split { question: TreePart, left: usize, right: usize },
}

/// A leaf: its rows are a range of one of the two buffers.
struct Leaf {
    start: usize,
    end: usize,
    /// Which buffer has the rows.
    second: bool,
    depth: usize,
    total: Total,
    /// The sums by feature and bin; empty when the leaf is not to be split.
    histogram: Vec<Sums>,
    best: Option<Candidate>,
}

/// What all trees of a model share while they grow.
pub(super) struct Grower<'a> {
    columns: &'a [Column],
    /// Each column's constraint; empty where none has one.
    directions: &'a [Option<Monotonic>],
    growth: Growth,
    first: Vec<Entry>,
    second: Vec<Entry>,
}

impl<'a> Grower<'a> {
    /// A grower for rows in bins.
    pub(super) fn new(
        columns: &'a [Column],
        directions: &'a [Option<Monotonic>],
        rows: usize,
        growth: Growth,
    ) -> Self {
        let entries = || vec![Entry::default(); rows];
        Self { columns, directions, growth, first: entries(), second: entries() }
    }

    /// The entries to fill before a tree grows: one for each row, in the rows' order.
    pub(super) fn entries(&mut self) -> &mut [Entry] {
        &mut self.first
    }

    /// Grows a tree, and adds to every row's score what the tree says of it. `settle` gives the step of a leaf's rows from their
    /// scores, where the loss has a better one than its derivatives say.
    pub(super) fn grow(
        &mut self,
        scores: &mut [f64],
        settle: Option<&Settle<'_>>,
    ) -> Result<Tree, TrainError> {
        let mut sums = Sums::default();
        over_shards(self.first.len(), |range| Sums::over(self.first.get(range).unwrap_or_default()))
            .iter()
            .for_each(|part| sums.add(part));
        let end = self.first.len();
        let total = Total { sums, step: self.growth.limits.step(&sums), bounds: Bounds::ALL };
        let mut root =
            Leaf { start: 0, end, second: false, depth: 0, total, histogram: Vec::new(), best: None };
        if self.may_split(&root) && self.growth.max_leaves > 1 {
            self.measure(&mut root, None);
        }
        let mut nodes = vec![Node::Leaf(root)];
        let mut leaves = 1;
        while leaves < self.growth.max_leaves {
            let Some((number, best)) = next_split(&nodes) else { break };
            leaves += 1;
            self.split(&mut nodes, number, &best, leaves < self.growth.max_leaves);
        }
        self.finish(&nodes, scores, settle)
    }

    fn may_split(&self, leaf: &Leaf) -> bool {
        self.growth.limits.can_split(&leaf.total.sums) && leaf.depth < self.growth.max_depth
    }

    /// Splits a leaf and, unless these are the last ones, finds the best splits of the two new leaves.
    fn split(&mut self, nodes: &mut Vec<Node>, number: usize, best: &Candidate, more: bool) {
        let (left_number, right_number) = (nodes.len(), nodes.len() + 1);
        let Some(node) = nodes.get_mut(number) else { return };
        let inner = Node::Split { question: self.question(best), left: left_number, right: right_number };
        let Node::Leaf(parent) = std::mem::replace(node, inner) else { return };
        let middle = parent.start + self.partition(&parent, best);
        let (depth, second) = (parent.depth + 1, !parent.second);
        let leaf =
            |start, end, total| Leaf { start, end, second, depth, total, histogram: Vec::new(), best: None };
        let (left_total, right_total) = self.sides(&parent.total, best);
        let mut left = leaf(parent.start, middle, left_total);
        let mut right = leaf(middle, parent.end, right_total);
        if more {
            let left_is_small = left.total.sums.count <= right.total.sums.count;
            let (small, large) =
                if left_is_small { (&mut left, &mut right) } else { (&mut right, &mut left) };
            if self.may_split(large) {
                large.histogram = parent.histogram;
                self.measure(small, Some(large));
            } else if self.may_split(small) {
                self.measure(small, None);
            }
        }
        nodes.extend([Node::Leaf(left), Node::Leaf(right)]);
    }

    /// What a tree asks where it has this split.
    fn question(&self, best: &Candidate) -> TreePart {
        let (feature, missing_left) = (best.feature as u32, best.missing_left);
        match best.goes_left {
            GoesLeft::UpTo(bin) => {
                let column = self.columns.get(best.feature);
                // Behind the last threshold are only missing values.
                let threshold =
                    column.and_then(|column| column.thresholds.get(bin)).copied().unwrap_or(f64::MAX);
                TreePart::Split(Split { feature, threshold, missing_left })
            }
            GoesLeft::Among(left) => TreePart::Subset(Subset { feature, left, missing_left }),
        }
    }

    /// What both sides of a split come to.
    fn sides(&self, parent: &Total, best: &Candidate) -> (Total, Total) {
        let side = |sums: Sums| (sums, parent.bounds.nearest(self.growth.limits.step(&sums)));
        let ((left, left_step), (right, right_step)) = (side(best.left), side(parent.sums.minus(&best.left)));
        let direction = self.directions.get(best.feature).copied().flatten();
        let (low, high) = parent.bounds.of_sides(direction, left_step, right_step);
        (
            Total { sums: left, step: left_step, bounds: low },
            Total { sums: right, step: right_step, bounds: high },
        )
    }

    /// Adds up a leaf's sums and finds its best split; and that of its sibling, which has the sums of both until this leaf's
    /// are taken off.
    fn measure(&self, leaf: &mut Leaf, mut sibling: Option<&mut Leaf>) {
        let entries = self.entries_of(leaf);
        let mut own = vec![Sums::default(); self.columns.iter().map(Column::bin_count).sum()];
        let mut others =
            sibling.as_mut().map(|sibling| std::mem::take(&mut sibling.histogram)).unwrap_or_default();
        let own_sums = self.may_split(leaf).then_some(leaf.total);
        let other_sums = sibling.as_ref().map(|sibling| sibling.total);
        let limits = self.growth.limits;
        let groups = groups(self.columns, self.directions, entries.len(), &mut own, &mut others);
        let found =
            over_items(groups, |group| group.run(entries, own_sums.as_ref(), other_sums.as_ref(), &limits));
        for (best, other_best) in found {
            take_better(&mut leaf.best, best);
            if let Some(sibling) = &mut sibling {
                take_better(&mut sibling.best, other_best);
            }
        }
        // A leaf without a split needs its sums no longer.
        if leaf.best.is_some() {
            leaf.histogram = own;
        }
        if let Some(sibling) = sibling
            && sibling.best.is_some()
        {
            sibling.histogram = others;
        }
    }

    fn entries_of(&self, leaf: &Leaf) -> &[Entry] {
        let buffer = if leaf.second { &self.second } else { &self.first };
        buffer.get(leaf.start..leaf.end).unwrap_or_default()
    }

    /// Moves a leaf's rows to the other buffer, those that go left first, all in their order; gives how many go left.
    fn partition(&mut self, leaf: &Leaf, best: &Candidate) -> usize {
        let Some(column) = self.columns.get(best.feature) else { return 0 };
        let (from, to) =
            if leaf.second { (&self.second, &mut self.first) } else { (&self.first, &mut self.second) };
        let from = from.get(leaf.start..leaf.end).unwrap_or_default();
        let to = to.get_mut(leaf.start..leaf.end).unwrap_or_default();
        let missing = column.missing_bin();
        let goes_left = |entry: &Entry| {
            let bin = column.bins.get(entry.row as usize).copied().unwrap_or(0);
            match &best.goes_left {
                _ if usize::from(bin) == missing => best.missing_left,
                GoesLeft::UpTo(last) => usize::from(bin) <= *last,
                GoesLeft::Among(set) => set.contains(bin),
            }
        };
        partition(from, to, goes_left)
    }

    /// The tree, whose values are added to the scores.
    fn finish(
        &self,
        nodes: &[Node],
        scores: &mut [f64],
        settle: Option<&Settle<'_>>,
    ) -> Result<Tree, TrainError> {
        let mut tree = TreeBuilder::new(1);
        let mut open = vec![0];
        while let Some(node) = open.pop().and_then(|number: usize| nodes.get(number)) {
            match node {
                Node::Split { question, left, right } => {
                    match question {
                        TreePart::Split(split) => tree.split(*split)?,
                        TreePart::Subset(subset) => tree.subset(*subset)?,
                        TreePart::Leaf(_) => {
                            return Err(TrainError::Internal("a leaf has sides".to_owned()));
                        }
                    }
                    open.extend([*right, *left]);
                }
                Node::Leaf(leaf) => {
                    let value = match settle {
                        Some(settle) => self.growth.learning_rate * settle(self.entries_of(leaf), scores),
                        None => self.growth.learning_rate * leaf.total.step,
                    };
                    tree.leaf(&[value])?;
                    for entry in self.entries_of(leaf) {
                        if let Some(score) = scores.get_mut(entry.row as usize) {
                            *score += value;
                        }
                    }
                }
            }
        }
        Ok(tree.finish()?)
    }
}

/// The leaf whose split helps most, the first of equals.
fn next_split(nodes: &[Node]) -> Option<(usize, Candidate)> {
    let mut next: Option<(usize, Candidate)> = None;
    for (number, node) in nodes.iter().enumerate() {
        if let Node::Leaf(Leaf { best: Some(best), .. }) = node
            && next.as_ref().is_none_or(|(_, next)| best.gain > next.gain)
        {
            next = Some((number, *best));
        }
    }
    next
}

/// Copies entries, those that go left first, and gives how many those are. All keep their order.
fn partition(from: &[Entry], to: &mut [Entry], goes_left: impl Fn(&Entry) -> bool + Sync) -> usize {
    let bounds = over_shards(from.len(), |range| {
        let left =
            from.get(range.clone()).unwrap_or_default().iter().filter(|entry| goes_left(entry)).count();
        (range, left)
    });
    let total = bounds.iter().map(|(_, left)| left).sum();
    let (mut left, mut right) = to.split_at_mut_checked(total).unwrap_or_default();
    let mut shards = Vec::new();
    for (range, count) in bounds {
        let from = from.get(range).unwrap_or_default();
        let (left_head, left_tail) = left.split_at_mut_checked(count).unwrap_or_default();
        let (right_head, right_tail) = right.split_at_mut_checked(from.len() - count).unwrap_or_default();
        (left, right) = (left_tail, right_tail);
        shards.push((from, left_head, right_head));
    }
    over_items(shards, |(from, left, right)| {
        let (mut left, mut right) = (left.iter_mut(), right.iter_mut());
        for entry in from {
            if let Some(place) = if goes_left(entry) { left.next() } else { right.next() } {
                *place = *entry;
            }
        }
    });
    total
}
