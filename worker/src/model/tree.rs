//! One decision tree: the structure that single trees, forests and boosting share.
//!
//! Owns the compact form and the walk from a row to its leaf. Trees are only made by [`TreeBuilder`], node by node in
//! preorder, so that there are no cycles and no missing children. Must not know what the values of a leaf mean.

use std::collections::HashMap;

use super::{CategorySet, ModelError};

/// The most nodes, leaves among them, of one tree, so that a node's number and a mark fit into 32 bits.
const MAX_NODES: usize = 1 << 30;

/// A question about one feature of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Split {
    /// The feature's place in the row.
    pub feature: u32,
    /// Rows whose value is at most this go left.
    pub threshold: f64,
    /// Whether rows without a value, which is a NaN, go left.
    pub missing_left: bool,
}

/// A question about the category that one feature of a row has, by its code.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Subset {
    /// The feature's place in the row.
    pub feature: u32,
    /// Rows whose category is in it go left.
    pub left: CategorySet,
    /// Whether rows without a category, which is a NaN, go left.
    pub missing_left: bool,
}

/// A child: the number of an inner node, or of a leaf's values, with [`Child::LEAF`] set.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Child(u32);

impl Child {
    const LEAF: u32 = 1 << 31;

    fn leaf(self) -> Option<usize> {
        (self.0 & Self::LEAF != 0).then_some((self.0 & !Self::LEAF) as usize)
    }
}

/// The question of a node. Sets lie beside the nodes, so that a tree without any is as compact as one that knows of none.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Question {
    AtMost(Split),
    Among { feature: u32, set: u32, missing_left: bool },
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Node {
    question: Question,
    left: Child,
    right: Child,
}

/// What a node takes of the processor's cache.
const _: () = assert!(size_of::<Node>() == 24);

/// A part of a tree, as [`Tree::parts`] lists them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TreePart {
    /// An inner node that asks for a number.
    Split(Split),
    /// An inner node that asks for a category.
    Subset(Subset),
    /// A leaf, by the number of its values.
    Leaf(u32),
}

/// A whole tree. Leaves with the same values share them.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    root: Child,
    nodes: Vec<Node>,
    /// The sets that nodes ask for, in the nodes' order.
    sets: Vec<CategorySet>,
    outputs: usize,
    values: Vec<f64>,
}

impl Tree {
    /// The values of the leaf that a row ends in.
    #[must_use]
    pub fn values(&self, row: &[f64]) -> &[f64] {
        let mut child = self.root;
        loop {
            if let Some(leaf) = child.leaf() {
                return self.values.get(leaf * self.outputs..(leaf + 1) * self.outputs).unwrap_or_default();
            }
            let Some(node) = self.nodes.get(child.0 as usize) else { return &[] };
            let value = |feature: u32| row.get(feature as usize).copied().unwrap_or(f64::NAN);
            let left = match node.question {
                Question::AtMost(Split { feature, threshold, missing_left }) => {
                    let value = value(feature);
                    if value.is_nan() { missing_left } else { value <= threshold }
                }
                Question::Among { feature, set, missing_left } => {
                    let value = value(feature);
                    let is_in = || self.sets.get(set as usize).is_some_and(|set| set.has(value));
                    if value.is_nan() { missing_left } else { is_in() }
                }
            };
            child = if left { node.left } else { node.right };
        }
    }

    /// How many leaves there are.
    #[must_use]
    pub fn leaves(&self) -> usize {
        self.nodes.len() + 1
    }

    /// How many values a leaf has.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The values of the leaves with this number, as [`TreePart::Leaf`] has it.
    #[must_use]
    pub fn leaf(&self, number: u32) -> &[f64] {
        let first = (number as usize).saturating_mul(self.outputs);
        self.values.get(first..first.saturating_add(self.outputs)).unwrap_or_default()
    }

    /// All values of leaves, one after the other.
    pub(super) fn all_values(&self) -> &[f64] {
        &self.values
    }

    /// The features that the inner nodes ask for.
    pub(super) fn features(&self) -> impl Iterator<Item = u32> {
        self.nodes.iter().map(|node| match node.question {
            Question::AtMost(Split { feature, .. }) | Question::Among { feature, .. } => feature,
        })
    }

    /// The sets of categories that the inner nodes ask for, in their order.
    pub fn sets(&self) -> &[CategorySet] {
        &self.sets
    }

    /// All nodes in preorder: what [`TreeBuilder`] takes.
    pub fn parts(&self) -> impl Iterator<Item = TreePart> {
        let mut open = vec![self.root];
        std::iter::from_fn(move || {
            let child = open.pop()?;
            if child.leaf().is_some() {
                return Some(TreePart::Leaf(child.0 & !Child::LEAF));
            }
            let node = self.nodes.get(child.0 as usize)?;
            open.extend([node.right, node.left]);
            Some(match node.question {
                Question::AtMost(split) => TreePart::Split(split),
                Question::Among { feature, set, missing_left } => {
                    let left = self.sets.get(set as usize).copied().unwrap_or_default();
                    TreePart::Subset(Subset { feature, left, missing_left })
                }
            })
        })
    }
}

/// Makes a tree from its nodes in preorder: a node, then all of its left side, then all of its right side.
#[derive(Debug)]
pub struct TreeBuilder {
    nodes: Vec<Node>,
    sets: Vec<CategorySet>,
    root: Option<Child>,
    /// The nodes that still lack a child; the flag says that the left one is there.
    open: Vec<(u32, bool)>,
    outputs: usize,
    values: Vec<f64>,
    known: HashMap<Vec<u64>, u32>,
}

impl TreeBuilder {
    /// A tree whose leaves have so many values each.
    #[must_use]
    pub fn new(outputs: usize) -> Self {
        let (nodes, open, values, known) = (Vec::new(), Vec::new(), Vec::new(), HashMap::new());
        Self { nodes, sets: Vec::new(), root: None, open, outputs, values, known }
    }

    /// A tree whose leaves share these values.
    pub(super) fn with_values(outputs: usize, values: Vec<f64>) -> Self {
        Self { values, ..Self::new(outputs) }
    }

    /// Adds an inner node that asks for a number.
    ///
    /// # Errors
    /// When the tree is whole already, too large, or the threshold is not finite.
    pub fn split(&mut self, split: Split) -> Result<(), ModelError> {
        if !split.threshold.is_finite() {
            return Err(ModelError::Invalid("a threshold of a tree is not finite".to_owned()));
        }
        self.inner(Question::AtMost(split))
    }

    /// Adds an inner node that asks for a category.
    ///
    /// # Errors
    /// When the tree is whole already, or too large.
    pub fn subset(&mut self, subset: Subset) -> Result<(), ModelError> {
        let Subset { feature, left, missing_left } = subset;
        // There are no more sets than nodes.
        self.inner(Question::Among { feature, set: self.sets.len() as u32, missing_left })?;
        self.sets.push(left);
        Ok(())
    }

    fn inner(&mut self, question: Question) -> Result<(), ModelError> {
        if self.nodes.len() >= MAX_NODES {
            return Err(ModelError::Invalid(format!("a tree has more than {MAX_NODES} nodes")));
        }
        let number = self.nodes.len() as u32;
        self.attach(Child(number))?;
        self.nodes.push(Node { question, left: Child(0), right: Child(0) });
        self.open.push((number, false));
        Ok(())
    }

    /// Adds a leaf.
    ///
    /// # Errors
    /// When the tree is whole already, or the values are not as many as a leaf has, or not finite.
    pub fn leaf(&mut self, values: &[f64]) -> Result<(), ModelError> {
        if values.len() != self.outputs || !values.iter().all(|value| value.is_finite()) {
            return Err(ModelError::Invalid(format!("a leaf does not have {} finite values", self.outputs)));
        }
        let bits: Vec<u64> = values.iter().map(|value| value.to_bits()).collect();
        let next = self.known.len() as u32;
        let number = *self.known.entry(bits).or_insert(next);
        if number == next {
            self.values.extend_from_slice(values);
        }
        self.leaf_of(number)
    }

    /// Adds a leaf by the number of its values.
    pub(super) fn leaf_of(&mut self, number: u32) -> Result<(), ModelError> {
        if (number as usize).saturating_add(1).saturating_mul(self.outputs) > self.values.len() {
            return Err(ModelError::Invalid("a leaf names values that are not there".to_owned()));
        }
        self.attach(Child(number | Child::LEAF))
    }

    fn attach(&mut self, child: Child) -> Result<(), ModelError> {
        let Some((number, has_left)) = self.open.pop() else {
            if self.root.is_some() {
                return Err(ModelError::Invalid("a tree has nodes beyond its last leaf".to_owned()));
            }
            self.root = Some(child);
            return Ok(());
        };
        if let Some(node) = self.nodes.get_mut(number as usize) {
            *(if has_left { &mut node.right } else { &mut node.left }) = child;
        }
        if !has_left {
            self.open.push((number, true));
        }
        Ok(())
    }

    /// Whether every inner node has both children.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.root.is_some() && self.open.is_empty()
    }

    /// The tree.
    ///
    /// # Errors
    /// When a child is missing.
    pub fn finish(self) -> Result<Tree, ModelError> {
        match self.root {
            Some(root) if self.open.is_empty() => {
                let Self { nodes, sets, outputs, values, .. } = self;
                Ok(Tree { root, nodes, sets, outputs, values })
            }
            _ => Err(ModelError::Invalid("a tree ends before its last leaf".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(feature: u32, threshold: f64, missing_left: bool) -> Split {
        Split { feature, threshold, missing_left }
    }

    fn example() -> Tree {
        let mut tree = TreeBuilder::new(1);
        tree.split(split(1, 0.5, false)).expect("a root");
        tree.leaf(&[1.0]).expect("left");
        tree.split(split(0, -2.0, true)).expect("right");
        tree.leaf(&[2.0]).expect("left of right");
        tree.leaf(&[1.0]).expect("right of right");
        tree.finish().expect("whole")
    }

    #[test]
    fn a_row_goes_left_up_to_the_threshold_and_without_a_value_where_the_split_says() {
        let tree = example();
        let value = |row: [f64; 2]| tree.values(&row)[0];
        assert_eq!(value([0.0, 0.5]), 1.0);
        assert_eq!(value([-2.0, 0.6]), 2.0);
        assert_eq!(value([-1.0, 0.6]), 1.0);
        assert_eq!(value([f64::NAN, f64::NAN]), 2.0);
        assert_eq!(value([f64::INFINITY, f64::NEG_INFINITY]), 1.0);
    }

    #[test]
    fn a_row_goes_left_whose_category_is_in_the_set() {
        let mut left = CategorySet::default();
        [0, 63, 64, 200, 255].into_iter().for_each(|code| left.insert(code));
        for missing_left in [false, true] {
            let mut tree = TreeBuilder::new(1);
            tree.subset(Subset { feature: 0, left, missing_left }).expect("a root");
            tree.leaf(&[1.0]).expect("left");
            tree.leaf(&[2.0]).expect("right");
            let tree = tree.finish().expect("whole");
            for (value, expected) in
                [(0.0, 1.0), (1.0, 2.0), (63.0, 1.0), (65.0, 2.0), (255.0, 1.0), (256.0, 2.0), (-1.0, 2.0)]
            {
                assert_eq!(tree.values(&[value]), [expected], "{value}");
            }
            assert_eq!(tree.values(&[f64::NAN]), [if missing_left { 1.0 } else { 2.0 }]);
            let parts: Vec<TreePart> = tree.parts().collect();
            assert_eq!(parts[0], TreePart::Subset(Subset { feature: 0, left, missing_left }));
        }
    }

    #[test]
    fn leaves_with_the_same_values_share_them() {
        assert_eq!(example().all_values(), [1.0, 2.0]);
        assert_eq!(example().leaves(), 3);
    }

    #[test]
    fn a_tree_that_is_not_whole_is_an_error() {
        assert!(TreeBuilder::new(1).finish().is_err());
        let mut tree = TreeBuilder::new(1);
        tree.split(split(0, 0.0, false)).expect("a root");
        assert!(tree.split(split(0, f64::NAN, false)).is_err());
        assert!(tree.leaf(&[1.0, 2.0]).is_err());
        assert!(tree.leaf(&[f64::INFINITY]).is_err());
        assert!(tree.leaf_of(0).is_err(), "there are no values yet");
        tree.leaf(&[1.0]).expect("left");
        assert!(!tree.is_whole());
        tree.leaf(&[1.0]).expect("right");
        assert!(tree.is_whole() && tree.leaf(&[1.0]).is_err());
    }
}
