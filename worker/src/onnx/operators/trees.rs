//! The operators of trees: how a file names their nodes, and what is made of the leaves' numbers.

use std::collections::{HashMap, HashSet};

use super::super::node::{Node, Run};
use super::super::problem::Problem;
use super::super::tensor::{Kind, Tensor};
use super::super::work::Work;
use super::answer::{Labels, PostTransform, largest};
use super::cast::cast;
use super::ensemble::{Comparison, Ensemble, NodeId, RawNode};
use super::linear::rows_of;

/// How the numbers of several trees are joined.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aggregate {
    Sum,
    Average,
    Min,
    Max,
}

/// Sums of rows, and which were added to at all.
struct Scores {
    targets: usize,
    sums: Vec<f64>,
    has: Vec<bool>,
}

fn scores(
    trees: &Ensemble,
    input: &Tensor,
    (targets, by): (usize, Aggregate),
    work: &mut Work,
) -> Result<(usize, Scores), Problem> {
    let (rows, width) = rows_of(input);
    if width < trees.columns {
        let needed = trees.columns;
        return Err(Problem::graph(format!("it gets rows of {width} columns and compares {needed}")));
    }
    let count = work.reserve(&[rows, targets], Kind::F64)?;
    work.reserve(&[rows, targets], Kind::Bool)?;
    work.reserve(input.shape(), Kind::F64)?;
    work.step(trees.steps.saturating_mul(rows as u64))?;
    let (mut sums, mut has) = (vec![0.0; count], vec![false; count]);
    trees.walk(&input.numbers()?, width, |row, target, number| {
        let at = row * targets + target as usize;
        if let (Some(sum), Some(has)) = (sums.get_mut(at), has.get_mut(at)) {
            *sum = match by {
                Aggregate::Sum | Aggregate::Average => *sum + number,
                Aggregate::Min if *has => sum.min(number),
                Aggregate::Max if *has => sum.max(number),
                Aggregate::Min | Aggregate::Max => number,
            };
            *has = true;
        }
    });
    if by == Aggregate::Average {
        sums.iter_mut().for_each(|sum| *sum /= trees.len().max(1) as f64);
    }
    Ok((rows, Scores { targets, sums, has }))
}

/// The type of answers: 64-bit floats where the rows are, and the file's numbers too.
fn answer_kind(node: &Node<'_>, values: &str) -> Kind {
    if node.has(&format!("{values}_as_tensor")) { Kind::F64 } else { Kind::F32 }
}

/// The operator that predicts numbers.
pub(super) fn regressor(node: &Node<'_>) -> Result<Run, Problem> {
    let targets = count_of(node.int("n_targets", 1))?;
    let (trees, _) = old_trees(node, "target", targets)?;
    let by = match node.string("aggregate_function", "SUM")?.as_str() {
        "SUM" => Aggregate::Sum,
        "AVERAGE" => Aggregate::Average,
        "MIN" => Aggregate::Min,
        "MAX" => Aggregate::Max,
        other => return Err(Problem::graph(format!("aggregate_function {other} is not computed"))),
    };
    let base = node.numbers("base_values")?;
    let post = PostTransform::of(node)?;
    numbers(trees, (targets, by), base, post, answer_kind(node, "nodes_values"))
}

fn numbers(
    trees: Ensemble,
    joined: (usize, Aggregate),
    base: Vec<f64>,
    post: PostTransform,
    kind: Kind,
) -> Result<Run, Problem> {
    let targets = joined.0;
    if !base.is_empty() && base.len() != targets {
        let found = base.len();
        return Err(Problem::graph(format!("it has {found} base values for {targets} targets")));
    }
    Ok(Box::new(move |inputs, work| {
        let (rows, Scores { mut sums, .. }) = scores(&trees, inputs.get(0)?, joined, work)?;
        for row in sums.chunks_mut(targets) {
            row.iter_mut().zip(&base).for_each(|(sum, base)| *sum += base);
            post.apply(row);
        }
        Ok(vec![cast(&Tensor::new(vec![rows, targets], sums)?, kind, work)?])
    }))
}

fn count_of(count: i64) -> Result<usize, Problem> {
    usize::try_from(count)
        .ok()
        .filter(|count| (1..=10_000).contains(count))
        .ok_or_else(|| Problem::graph(format!("it has {count} targets, of 1 to 10000")))
}

/// The operator of both, in the newest version.
pub(super) fn ensemble(node: &Node<'_>) -> Result<Run, Problem> {
    let targets = count_of(node.int("n_targets", 1))?;
    let trees = new_trees(node, targets)?;
    let by = match node.int("aggregate_function", 1) {
        0 => Aggregate::Average,
        1 => Aggregate::Sum,
        2 => Aggregate::Min,
        3 => Aggregate::Max,
        other => return Err(Problem::graph(format!("aggregate_function {other} is not computed"))),
    };
    let post = PostTransform::numbered(node.int("post_transform", 0))?;
    let kind = node.tensor("leaf_weights")?.map_or(Kind::F32, |weights| weights.kind());
    numbers(trees, (targets, by), Vec::new(), post, kind)
}

/// The operator that predicts classes.
pub(super) fn classifier(node: &Node<'_>) -> Result<Run, Problem> {
    let (labels, post, base) = (Labels::of(node)?, PostTransform::of(node)?, node.numbers("base_values")?);
    let classes = count_of(labels.len() as i64)?;
    let (trees, weights) = old_trees(node, "class", classes)?;
    let kind = answer_kind(node, "nodes_values");
    if classes < 2 {
        return Err(Problem::graph("it has one class alone"));
    }
    let binary = Binary { one_target: weights.targets.len() == 1, positive: weights.are_positive };
    let joined = (classes, Aggregate::Sum);
    Ok(Box::new(move |inputs, work| {
        let (rows, Scores { targets, mut sums, has }) = scores(&trees, inputs.get(0)?, joined, work)?;
        if kind == Kind::F32 {
            // A class is chosen by the scores that are answered: two that are alike there are a tie.
            sums.iter_mut().for_each(|sum| *sum = f64::from(*sum as f32));
        }
        let mut places = Vec::with_capacity(rows);
        for (row, has) in sums.chunks_mut(targets).zip(has.chunks(targets)) {
            places.push(match row {
                [first, second] => binary.finish((first, second), has, &base, post),
                many => {
                    many.iter_mut().zip(&base).for_each(|(sum, base)| *sum += base);
                    let place = largest(many);
                    post.apply(many);
                    place
                }
            });
        }
        let scores = cast(&Tensor::new(vec![rows, targets], sums)?, kind, work)?;
        Ok(vec![labels.at(&places)?, scores])
    }))
}

/// How two classes are told apart: by the score of one of them, or of each.
#[derive(Clone, Copy)]
struct Binary {
    /// Whether all leaves add to one class alone.
    one_target: bool,
    /// Whether no leaf takes away: scores are shares then.
    positive: bool,
}

impl Binary {
    /// The place of the class; the scores become those of both. The operator's text leaves open what base values and a single class mean:
    /// it follows ONNX Runtime, except that of two classes with a score each the larger one is answered.
    fn finish(
        self,
        (first, second): (&mut f64, &mut f64),
        has: &[bool],
        base: &[f64],
        post: PostTransform,
    ) -> usize {
        let [has_first, mut has_second] = *has else { return 0 };
        let mut is_single = false;
        match base {
            [_, of_second] if has_second => {
                *second = of_second + *first;
                *first = -*second;
            }
            [of_first, _] => *first += of_first,
            [base] => {
                *first += base;
                is_single = !has_second;
            }
            _ => is_single = !has_second,
        }
        // A class that no leaf adds to has no score, whatever its base value.
        let mut both = [if has_first { *first } else { 0.0 }, if has_second { *second } else { 0.0 }];
        has_second |= !has_first;
        let score = if has_second { both[1] } else { both[0] };
        let place = match (self.one_target, self.positive) {
            (false, _) => usize::from(both[1] > both[0]),
            (true, true) => usize::from(score > 0.5),
            (true, false) => usize::from(score > 0.0),
        };
        if is_single {
            both = self.of_one(both[0], post);
        } else {
            post.apply(&mut both);
        }
        [*first, *second] = both;
        place
    }

    /// The scores of both classes from that of the second.
    fn of_one(self, score: f64, post: PostTransform) -> [f64; 2] {
        let mut own = [score];
        match (post, self.positive) {
            (PostTransform::Probit, _) | (PostTransform::Logistic, false) => {
                post.apply(&mut own);
                [1.0 - own[0], own[0]]
            }
            (_, true) => [1.0 - score, score],
            (_, false) => [-score, score],
        }
    }
}

/// What there is to know of the leaves' numbers.
struct LeafWeights {
    targets: HashSet<i64>,
    are_positive: bool,
}

/// The trees of the operators of numbers and of classes.
fn old_trees(node: &Node<'_>, leaves: &str, targets: usize) -> Result<(Ensemble, LeafWeights), Problem> {
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
fn new_trees(node: &Node<'_>, targets: usize) -> Result<Ensemble, Problem> {
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
            other => return Err(Problem::graph(format!("the mode {other} of a node is not computed"))),
        };
        let branch = RawNode::Branch {
            column: usize::try_from(at(columns))
                .map_err(|_| Problem::graph("a branch names a negative column"))?,
            threshold: *threshold,
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
    Ensemble::new(raw, &roots)
}
