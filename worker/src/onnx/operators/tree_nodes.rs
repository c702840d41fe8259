//! How a file names the nodes of trees: lists side by side, one entry a node.

use std::collections::{HashMap, HashSet};

use super::super::node::Node;
use super::super::problem::Problem;
use super::super::tensor::Tensor;
use super::ensemble::{Comparison, Ensemble, NodeId, RawNode};

/// What there is to know of the leaves' numbers.
pub(super) struct LeafWeights {
    /// The targets that they are of.
    pub targets: HashSet<i64>,
    /// Whether none takes away.
    pub are_positive: bool,
}

/// The trees of the operators of numbers and of classes.
pub(super) fn old_trees(
    node: &Node<'_>,
    leaves: &str,
    targets: usize,
) -> Result<(Ensemble, LeafWeights), Problem> {
    let of_leaf = |name: &str| node.ints(&format!("{leaves}_{name}"));
    let (trees, nodes, ids) = (of_leaf("treeids"), of_leaf("nodeids"), of_leaf("ids"));
    let weights = node.numbers(&format!("{leaves}_weights"))?;
    if [trees.len(), nodes.len(), ids.len()].iter().any(|length| *length != weights.len()) {
        return Err(Problem::graph("the lists of its leaves are of different lengths"));
    }
    let mut numbers: HashMap<NodeId, Vec<(u32, f64)>> = HashMap::new();
    for (((tree, node), id), weight) in trees.iter().zip(nodes).zip(ids).zip(&weights) {
        let target = usize::try_from(*id).ok().filter(|target| *target < targets);
        let target =
            target.ok_or_else(|| Problem::graph(format!("a leaf names target {id}, of {targets}")))?;
        numbers.entry((*tree, *node)).or_default().push((target as u32, *weight));
    }
    let facts = LeafWeights {
        targets: ids.iter().copied().collect(),
        are_positive: weights.iter().all(|weight| *weight >= 0.0),
    };
    Ok((old_ensemble(node, numbers)?, facts))
}

fn old_ensemble(node: &Node<'_>, mut numbers: HashMap<NodeId, Vec<(u32, f64)>>) -> Result<Ensemble, Problem> {
    let (trees, ids) = (node.ints("nodes_treeids"), node.ints("nodes_nodeids"));
    let (columns, modes) = (node.ints("nodes_featureids"), node.strings("nodes_modes")?);
    let (holds, fails) = (node.ints("nodes_truenodeids"), node.ints("nodes_falsenodeids"));
    let (values, missing) = (node.numbers("nodes_values")?, node.ints("nodes_missing_value_tracks_true"));
    let lengths = [ids.len(), columns.len(), modes.len(), holds.len(), fails.len(), values.len()];
    if lengths.iter().any(|length| *length != trees.len()) {
        return Err(Problem::graph("the lists of its nodes are of different lengths"));
    }
    let mut raw = HashMap::with_capacity(trees.len());
    let mut below: HashSet<NodeId> = HashSet::new();
    let mut order = Vec::with_capacity(trees.len());
    for (place, (tree, id)) in trees.iter().zip(ids).enumerate() {
        let own = (*tree, *id);
        let mode: &str = modes.get(place).map(AsRef::as_ref).unwrap_or_default();
        let made = match comparison(mode)? {
            None => RawNode::Leaf(numbers.remove(&own).unwrap_or_default()),
            Some(by) => {
                let child = |list: &[i64]| (*tree, list.get(place).copied().unwrap_or_default());
                let column = columns.get(place).copied().unwrap_or_default();
                let column = usize::try_from(column);
                below.extend([child(holds), child(fails)]);
                RawNode::Branch {
                    column: column.map_err(|_| Problem::graph("a branch names a negative column"))?,
                    threshold: values.get(place).copied().unwrap_or_default(),
                    by,
                    missing_holds: missing.get(place).is_some_and(|holds| *holds != 0),
                    holds: child(holds),
                    fails: child(fails),
                }
            }
        };
        order.push(own);
        if raw.insert(own, made).is_some() {
            return Err(Problem::graph(format!("node {id} of tree {tree} is there twice")));
        }
    }
    let roots: Vec<NodeId> = order.into_iter().filter(|id| !below.contains(id)).collect();
    let distinct: HashSet<i64> = roots.iter().map(|(tree, _)| *tree).collect();
    let all: HashSet<i64> = trees.iter().copied().collect();
    if distinct.len() != roots.len() || distinct != all {
        return Err(Problem::graph("a tree has not one node that no other leads to"));
    }
    Ensemble::new(raw, &roots)
}

fn comparison(mode: &str) -> Result<Option<Comparison>, Problem> {
    Ok(Some(match mode {
        "LEAF" => return Ok(None),
        "BRANCH_LEQ" => Comparison::AtMost,
        "BRANCH_LT" => Comparison::Less,
        "BRANCH_GTE" => Comparison::AtLeast,
        "BRANCH_GT" => Comparison::More,
        "BRANCH_EQ" => Comparison::Equal,
        "BRANCH_NEQ" => Comparison::Other,
        other => return Err(Problem::graph(format!("the mode {other} of a node is not computed"))),
    }))
}

/// The trees of the newest operator: branches and leaves are lists of their own.
pub(super) fn new_trees(node: &Node<'_>, targets: usize) -> Result<Ensemble, Problem> {
    /// Leaves are numbered like nodes, in a tree of their own.
    const LEAVES: i64 = 1;
    let tensor = |name: &str| -> Result<Tensor, Problem> {
        node.tensor(name)?.ok_or_else(|| Problem::graph(format!("it has no {name}")))
    };
    let (splits, modes) = (tensor("nodes_splits")?.numbers()?, tensor("nodes_modes")?.integers()?);
    let weights = tensor("leaf_weights")?.numbers()?;
    let (columns, ids) = (node.ints("nodes_featureids"), node.ints("leaf_targetids"));
    let (holds, fails) = (node.ints("nodes_truenodeids"), node.ints("nodes_falsenodeids"));
    let (hold_leafs, fail_leafs) = (node.ints("nodes_trueleafs"), node.ints("nodes_falseleafs"));
    let missing = node.ints("nodes_missing_value_tracks_true");
    let lengths = [columns.len(), modes.len(), holds.len(), fails.len(), hold_leafs.len(), fail_leafs.len()];
    if lengths.iter().any(|length| *length != splits.len()) || ids.len() != weights.len() {
        return Err(Problem::graph("the lists of its nodes or leaves are of different lengths"));
    }
    let sets = sets_of(node, modes.iter().filter(|mode| **mode == 6).count())?;
    let mut members = 0..sets.len();
    let mut raw = HashMap::new();
    for (place, threshold) in splits.iter().enumerate() {
        let at = |list: &[i64]| list.get(place).copied().unwrap_or_default();
        let child = |ids: &[i64], leafs: &[i64]| (if at(leafs) != 0 { LEAVES } else { 0 }, at(ids));
        let by = match at(&modes) {
            0 => Comparison::AtMost,
            1 => Comparison::Less,
            2 => Comparison::AtLeast,
            3 => Comparison::More,
            4 => Comparison::Equal,
            5 => Comparison::Other,
            6 => Comparison::Member,
            other => return Err(Problem::graph(format!("the mode {other} of a node is not computed"))),
        };
        let branch = RawNode::Branch {
            column: usize::try_from(at(columns))
                .map_err(|_| Problem::graph("a branch names a negative column"))?,
            threshold: if by == Comparison::Member {
                (members.next().unwrap_or_default()) as f64
            } else {
                *threshold
            },
            by,
            missing_holds: at(missing) != 0,
            holds: child(holds, hold_leafs),
            fails: child(fails, fail_leafs),
        };
        raw.insert((0, place as i64), branch);
    }
    for ((id, weight), place) in ids.iter().zip(&weights).zip(0..) {
        let target = usize::try_from(*id).ok().filter(|target| *target < targets);
        let target =
            target.ok_or_else(|| Problem::graph(format!("a leaf names target {id}, of {targets}")))?;
        raw.insert((LEAVES, place), RawNode::Leaf(vec![(target as u32, *weight)]));
    }
    let roots: Vec<NodeId> = node.ints("tree_roots").iter().map(|root| (0, *root)).collect();
    Ok(Ensemble::new(raw, &roots)?.with_sets(sets))
}

/// The sets of the nodes that ask for one, in their order: one list, in which each set ends with what is not a number.
fn sets_of(node: &Node<'_>, asked: usize) -> Result<Vec<Vec<f64>>, Problem> {
    let values = node.tensor("membership_values")?.map(|values| values.numbers()).transpose()?;
    let mut values = values.unwrap_or_default();
    // The last one need not.
    if values.last().is_some_and(|last| last.is_nan()) {
        values.pop();
    } else if values.is_empty() {
        return if asked == 0 { Ok(Vec::new()) } else { Err(Problem::graph("it has no membership_values")) };
    }
    let sets: Vec<Vec<f64>> = values.split(|value| value.is_nan()).map(<[f64]>::to_vec).collect();
    if sets.len() != asked {
        let found = sets.len();
        return Err(Problem::graph(format!(
            "membership_values has {found} sets, and {asked} nodes ask for one"
        )));
    }
    Ok(sets)
}
