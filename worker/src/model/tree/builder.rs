//! Trees, made node by node in preorder.
//!
//! Owns what makes a tree whole: each inner node has both children, and each leaf names values that are there.

use std::collections::HashMap;

use super::{Child, Node, Question, Split, Subset, Tree};
use crate::model::{CategorySet, ModelError};

/// The most nodes, leaves among them, of one tree, so that a node's number and a mark fit into 32 bits.
const MAX_NODES: usize = 1 << 30;

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
    pub(in crate::model) fn with_values(outputs: usize, values: Vec<f64>) -> Self {
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
    pub(in crate::model) fn leaf_of(&mut self, number: u32) -> Result<(), ModelError> {
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

    fn split(threshold: f64) -> Split {
        Split { feature: 0, threshold, missing_left: false }
    }

    #[test]
    fn a_tree_that_is_not_whole_is_an_error() {
        assert!(TreeBuilder::new(1).finish().is_err());
        let mut tree = TreeBuilder::new(1);
        tree.split(split(0.0)).expect("a root");
        assert!(tree.split(split(f64::NAN)).is_err());
        assert!(tree.leaf(&[1.0, 2.0]).is_err());
        assert!(tree.leaf(&[f64::INFINITY]).is_err());
        assert!(tree.leaf_of(0).is_err(), "there are no values yet");
        tree.leaf(&[1.0]).expect("left");
        assert!(!tree.is_whole());
        tree.leaf(&[1.0]).expect("right");
        assert!(tree.is_whole() && tree.leaf(&[1.0]).is_err());
    }
}
