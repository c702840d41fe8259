//! One decision tree: the structure that single trees, forests and boosting share.
//!
//! Owns the compact form and the walk from a row to its leaf. Trees are only made by [`TreeBuilder`], node by node in
//! preorder, so that there are no cycles and no missing children. Must not know what the values of a leaf mean.

mod builder;

pub use builder::TreeBuilder;

use super::CategorySet;

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
    /// How many questions it asks in all.
    pub(super) fn inner_nodes(&self) -> usize {
        self.nodes.len()
    }

    /// The values of the leaf that a row ends in.
    #[must_use]
    pub fn values(&self, row: &[f64]) -> &[f64] {
        let [values] = self.values_together([row]);
        values
    }

    /// The values of the leaves that several rows end in. The processor waits for the next node of one row while it has those of
    /// others, so that it is quicker than one row after the other where the tree is larger than its cache.
    #[must_use]
    pub fn values_together<const N: usize>(&self, rows: [&[f64]; N]) -> [&[f64]; N] {
        let mut places = [self.root; N];
        let mut is_under_way = true;
        while is_under_way {
            is_under_way = false;
            for (place, row) in places.iter_mut().zip(rows) {
                if let Some(node) = self.node(*place) {
                    is_under_way = true;
                    *place = if self.goes_left(node, row) { node.left } else { node.right };
                }
            }
        }
        places.map(|place| {
            let leaf = place.leaf().map(|leaf| leaf * self.outputs..(leaf + 1) * self.outputs);
            leaf.and_then(|leaf| self.values.get(leaf)).unwrap_or_default()
        })
    }

    /// The inner node at a place; none at a leaf.
    fn node(&self, place: Child) -> Option<&Node> {
        if place.leaf().is_some() { None } else { self.nodes.get(place.0 as usize) }
    }

    fn goes_left(&self, node: &Node, row: &[f64]) -> bool {
        let value = |feature: u32| row.get(feature as usize).copied().unwrap_or(f64::NAN);
        match node.question {
            Question::AtMost(Split { feature, threshold, missing_left }) => {
                let value = value(feature);
                if value.is_nan() { missing_left } else { value <= threshold }
            }
            Question::Among { feature, set, missing_left } => {
                let value = value(feature);
                let is_in = || self.sets.get(set as usize).is_some_and(|set| set.has(value));
                if value.is_nan() { missing_left } else { is_in() }
            }
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
}
