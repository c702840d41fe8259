//! Trees as they are walked: branches in one list, each tree's first, and leaves with the numbers that they add.
//!
//! Owns that every walk ends: a tree whose nodes lead back to it is refused. Must not know how a file names its nodes.

use std::collections::HashMap;

use super::super::problem::Problem;

/// How a value is compared with a branch's threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    AtMost,
    Less,
    AtLeast,
    More,
    Equal,
    Other,
    /// Among the values of a set: the threshold is the set's number.
    Member,
}

impl Comparison {
    fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::AtMost => value <= threshold,
            Self::Less => value < threshold,
            Self::AtLeast => value >= threshold,
            Self::More => value > threshold,
            Self::Equal => value == threshold,
            Self::Other => value != threshold,
            // Sets are the ensemble's.
            Self::Member => false,
        }
    }
}

/// A node as a file has it.
#[derive(Clone, Debug)]
pub(super) enum RawNode {
    /// Goes one way where a column's value holds up to a threshold, else the other.
    Branch {
        column: usize,
        threshold: f64,
        by: Comparison,
        missing_holds: bool,
        holds: NodeId,
        fails: NodeId,
    },
    /// Adds numbers.
    Leaf(Vec<(u32, f64)>),
}

/// The tree and the number of a node.
pub(super) type NodeId = (i64, i64);

/// A branch, or a leaf where `column` says so.
#[derive(Clone, Copy, Debug)]
struct Node {
    threshold: f64,
    /// A column, or [`LEAF`].
    column: u32,
    /// Where it goes on; of a leaf, its first and the one after its last number.
    holds: u32,
    fails: u32,
    by: Comparison,
    missing_holds: bool,
}

const LEAF: u32 = u32::MAX;

/// What is to be done while nodes are added.
enum Task {
    /// A node is added, to which a side of a branch leads.
    Add(NodeId, Option<(usize, bool)>),
    /// All below a node is added.
    Close(NodeId, usize),
}

/// Where a node was added.
#[derive(Clone, Copy)]
struct Added {
    place: usize,
    /// Whether all below it is added.
    is_closed: bool,
}

/// Rows that are walked through one tree after the other, so that its nodes stay near.
const ROWS_AT_ONCE: usize = 64;

/// Trees that are walked.
#[derive(Clone, Debug)]
pub(super) struct Ensemble {
    nodes: Vec<Node>,
    roots: Vec<u32>,
    numbers: Vec<(u32, f64)>,
    /// The sets that values are looked up in, each in its order.
    sets: Vec<Vec<f64>>,
    /// The columns that a row must have.
    pub columns: usize,
    /// The most steps of a row.
    pub steps: u64,
    /// Whether every comparison is the usual one, [`Comparison::AtMost`].
    is_usual: bool,
}

impl Ensemble {
    /// Trees of nodes, from their roots. Several branches may lead to one node, as where a set of categories is asked for one by one.
    ///
    /// # Errors
    /// When a node is missing, or leads back to itself.
    pub(super) fn new(mut raw: HashMap<NodeId, RawNode>, roots: &[NodeId]) -> Result<Self, Problem> {
        let mut made = Self {
            nodes: Vec::with_capacity(raw.len()),
            roots: Vec::with_capacity(roots.len()),
            numbers: Vec::new(),
            sets: Vec::new(),
            columns: 0,
            steps: 0,
            is_usual: true,
        };
        let (mut added, mut heights) = (HashMap::with_capacity(raw.len()), Vec::with_capacity(raw.len()));
        for root in roots {
            let place = made.nodes.len();
            made.roots.push(place as u32);
            made.add_tree(*root, &mut raw, &mut added, &mut heights)?;
            made.steps = made.steps.saturating_add(heights.get(place).copied().unwrap_or_default());
        }
        Ok(made)
    }

    /// The same with sets that values are looked up in.
    pub(super) fn with_sets(mut self, sets: Vec<Vec<f64>>) -> Self {
        // Both zeros are one.
        let sorted = |set: Vec<f64>| {
            let mut set: Vec<f64> = set.into_iter().map(|value| value + 0.0).collect();
            set.sort_by(f64::total_cmp);
            set
        };
        self.sets = sets.into_iter().map(sorted).collect();
        // A lookup takes as many steps as a set can be halved.
        let longest = self.sets.iter().map(Vec::len).max().unwrap_or_default();
        self.steps = self.steps.saturating_mul(1 + u64::from(usize::BITS - longest.leading_zeros()));
        self
    }

    fn is_member(&self, node: &Node, value: f64) -> bool {
        let set = self.sets.get(node.threshold as usize);
        set.is_some_and(|set| set.binary_search_by(|member| member.total_cmp(&(value + 0.0))).is_ok())
    }

    /// Adds the nodes below a root, each before those below it, and says how many are on the longest way from each.
    fn add_tree(
        &mut self,
        root: NodeId,
        raw: &mut HashMap<NodeId, RawNode>,
        added: &mut HashMap<NodeId, Added>,
        heights: &mut Vec<u64>,
    ) -> Result<(), Problem> {
        let mut tasks = vec![Task::Add(root, None)];
        while let Some(task) = tasks.pop() {
            let (id, parent) = match task {
                Task::Add(id, parent) => (id, parent),
                Task::Close(id, place) => {
                    let height = self.height(place, heights);
                    if let Some(known) = heights.get_mut(place) {
                        *known = height;
                    }
                    added.insert(id, Added { place, is_closed: true });
                    continue;
                }
            };
            let known = added.get(&id).copied();
            let place = known.map_or(self.nodes.len(), |known| known.place);
            if let Some((parent, is_holds)) = parent
                && let Some(parent) = self.nodes.get_mut(parent)
            {
                *(if is_holds { &mut parent.holds } else { &mut parent.fails }) = place as u32;
            }
            let (tree, node) = id;
            match known {
                Some(Added { is_closed: true, .. }) => continue,
                Some(_) => {
                    return Err(Problem::graph(format!("node {node} of tree {tree} leads back to itself")));
                }
                None => {}
            }
            let found = raw
                .remove(&id)
                .ok_or_else(|| Problem::graph(format!("node {node} of tree {tree} is missing")))?;
            added.insert(id, Added { place, is_closed: false });
            heights.push(1);
            tasks.push(Task::Close(id, place));
            if let RawNode::Branch { holds, fails, .. } = found {
                tasks.push(Task::Add(fails, Some((place, false))));
                tasks.push(Task::Add(holds, Some((place, true))));
            }
            self.add_node(found)?;
        }
        Ok(())
    }

    /// How many nodes are on the longest way from a node, where those of all below it are known.
    fn height(&self, place: usize, heights: &[u64]) -> u64 {
        let Some(node) = self.nodes.get(place).filter(|node| node.column != LEAF) else { return 1 };
        let of = |place: u32| heights.get(place as usize).copied().unwrap_or_default();
        of(node.holds).max(of(node.fails)).saturating_add(1)
    }

    /// Adds a node; where a branch leads is not known yet.
    fn add_node(&mut self, raw: RawNode) -> Result<(), Problem> {
        self.nodes.push(match raw {
            RawNode::Branch { column, threshold, by, missing_holds, .. } => {
                let number = u32::try_from(column).ok().filter(|column| *column < LEAF);
                let number = number.ok_or_else(|| Problem::graph(format!("column {column} is too many")))?;
                self.columns = self.columns.max(column + 1);
                self.is_usual &= by == Comparison::AtMost;
                Node { threshold, column: number, holds: 0, fails: 0, by, missing_holds }
            }
            RawNode::Leaf(numbers) => {
                let first = self.numbers.len() as u32;
                self.numbers.extend(numbers);
                let end = self.numbers.len() as u32;
                let (by, missing_holds) = (Comparison::AtMost, false);
                Node { threshold: 0.0, column: LEAF, holds: first, fails: end, by, missing_holds }
            }
        });
        if self.nodes.len() > u32::MAX as usize / 2 {
            return Err(Problem::graph("it has too many nodes"));
        }
        Ok(())
    }

    /// How many trees.
    pub(super) fn len(&self) -> usize {
        self.roots.len()
    }

    /// Calls `add` with each row, and the target and number of each leaf that it reaches, tree after tree.
    pub(super) fn walk(&self, rows: &[f64], width: usize, mut add: impl FnMut(usize, u32, f64)) {
        let width = width.max(1);
        for (block, rows) in rows.chunks(width * ROWS_AT_ONCE).enumerate() {
            for root in &self.roots {
                for (place, row) in rows.chunks_exact(width).enumerate() {
                    let leaf =
                        if self.is_usual { self.usual_leaf(*root, row) } else { self.leaf(*root, row) };
                    for (target, number) in leaf {
                        add(block * ROWS_AT_ONCE + place, *target, *number);
                    }
                }
            }
        }
    }

    fn leaf(&self, root: u32, row: &[f64]) -> &[(u32, f64)] {
        self.find(root, row, |node, value| match node.by {
            Comparison::Member => self.is_member(node, value),
            by => by.holds(value, node.threshold),
        })
    }

    fn usual_leaf(&self, root: u32, row: &[f64]) -> &[(u32, f64)] {
        self.find(root, row, |node, value| value <= node.threshold)
    }

    fn find(&self, root: u32, row: &[f64], holds: impl Fn(&Node, f64) -> bool) -> &[(u32, f64)] {
        let mut at = root;
        while let Some(node) = self.nodes.get(at as usize) {
            if node.column == LEAF {
                return self.numbers.get(node.holds as usize..node.fails as usize).unwrap_or_default();
            }
            let value = row.get(node.column as usize).copied().unwrap_or(f64::NAN);
            let goes = holds(node, value) || (node.missing_holds && value.is_nan());
            at = if goes { node.holds } else { node.fails };
        }
        &[]
    }
}
