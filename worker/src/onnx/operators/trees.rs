//! The operators of trees: what is made of the leaves' numbers.

use super::super::kind::Kind;
use super::super::node::{Node, Run};
use super::super::problem::Problem;
use super::super::tensor::Tensor;
use super::super::work::Work;
use super::answer::{Labels, PostTransform, largest};
use super::cast::cast;
use super::ensemble::Ensemble;
use super::linear::rows_of;
use super::tree_nodes::{new_trees, old_trees};
use super::two_classes::Binary;

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
