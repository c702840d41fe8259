//! Trees, as one node of ai.onnx.ml: thresholds and leaves are 64-bit floats, so that a row takes the same way as here.
//!
//! The operator's sums are 32-bit floats in the end. Leaves are therefore numbers about 0 of size 1 at most, and their centre and scale come
//! back in 64 bits; and what is compared with a threshold afterwards is made part of the sum, whose sign survives.

use std::f64::consts::LN_2;
use std::ops::Range;

use bytes::Bytes;

use super::answers::Answer;
use super::error::OnnxError;
use super::graph::{Graph, Name};
use super::sums::{of_odds, softmax};
use super::value::{Type, doubles, int, integers, ints, string, strings, tensor};
use crate::model::{CategorySet, IsolationPredictor, Tree, TreeOutput, TreePart, TreePredictor, path_length};

/// The most nodes, and numbers of leaves, of all trees: readers take no file of more than 2 GiB.
const MAX_ENTRIES: usize = 1 << 24;

/// What trees predict together.
pub(super) fn trees(graph: &mut Graph, rows: &str, trees: &TreePredictor) -> Result<Answer, OnnxError> {
    let count = trees.trees().len() as f64;
    let unit = Unit::of(trees);
    let sums = sums(graph, rows, trees, &[], unit)?;
    // What is added is brought to the same size first: where a start near 1e-61 was added as it is, ONNX Runtime 1.32 answered 0.
    let sized = |graph: &mut Graph, sums: &str, offsets: &[f64]| {
        let offsets: Vec<f64> = offsets.iter().map(|offset| offset / unit.scale).collect();
        let sums = if offsets.is_empty() {
            sums.to_owned()
        } else {
            graph.with("Add", sums, doubles(&[1, offsets.len()], &offsets))
        };
        graph.with("Mul", &sums, doubles(&[1], &[unit.scale]))
    };
    let mean = |graph: &mut Graph| graph.with("Div", &sums, doubles(&[1], &[count]));
    let sum = |graph: &mut Graph| sized(graph, &sums, trees.start());
    Ok(match trees.output() {
        TreeOutput::MeanOfNumbers => {
            let mean = mean(graph);
            Answer::Number(sized(graph, &mean, &[unit.center]))
        }
        TreeOutput::MeanOfProbabilities => {
            let mean = mean(graph);
            Answer::Probabilities(sized(graph, &mean, &[]))
        }
        TreeOutput::SumOfNumbers => Answer::Number(sum(graph)),
        TreeOutput::SumOfLogarithms => {
            let sum = sum(graph);
            Answer::Number(graph.op("Exp", &[&sum]))
        }
        TreeOutput::SumOfLogOdds => {
            let sum = sum(graph);
            Answer::Probabilities(of_odds(graph, &sum))
        }
        TreeOutput::SumOfScores => {
            let sum = sum(graph);
            Answer::Probabilities(softmax(graph, &sum))
        }
    })
}

/// Outliers by the lengths of paths: rows whose mean length is below that of the threshold.
pub(super) fn isolation(
    graph: &mut Graph,
    rows: &str,
    forest: &IsolationPredictor,
) -> Result<Answer, OnnxError> {
    let trees = forest.trees();
    let (count, expected) = (trees.trees().len() as f64, path_length(forest.samples()));
    // A score is 2 to the power of -length / expected; a tree of one row says nothing, and each score is one half.
    let (bound, scale, offset) = if expected > 0.0 {
        (-forest.outlier_above().log2() * expected, -LN_2 / expected, 0.0)
    } else {
        let beyond = f64::from(u32::MAX);
        (if forest.outlier_above() < 0.5 { beyond } else { -beyond }, 0.0, -LN_2)
    };
    let below = sums(graph, rows, trees, &[-bound * count], Unit::ONE)?;
    let shape = graph.constant(integers(&[1], &[-1]));
    let below = graph.op("Reshape", &[&below, &shape]);
    let is_outlier = graph.with("Less", &below, doubles(&[1], &[0.0]));
    let place = graph.cast(&is_outlier, Type::Int64);
    let length = graph.with("Div", &below, doubles(&[1], &[count]));
    let length = graph.with("Add", &length, doubles(&[1], &[bound]));
    let exponent = graph.with("Mul", &length, doubles(&[1], &[scale]));
    let exponent = graph.with("Add", &exponent, doubles(&[1], &[offset]));
    Ok(Answer::Found { place, number: graph.op("Exp", &[&exponent]) })
}

/// Where the leaves of trees lie: what is taken off them, and by what they are divided then.
#[derive(Clone, Copy, Debug)]
struct Unit {
    center: f64,
    scale: f64,
}

impl Unit {
    const ONE: Self = Self { center: 0.0, scale: 1.0 };

    /// That of these trees: about their middle where a mean of them is wanted, and as large as the start where they are added to one.
    fn of(trees: &TreePredictor) -> Self {
        let leaves = || {
            trees
                .trees()
                .iter()
                .flat_map(|tree| (0..tree.leaves()).flat_map(|leaf| tree.leaf(leaf as u32).iter().copied()))
        };
        let (low, high) = leaves()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), leaf| (low.min(leaf), high.max(leaf)));
        let is_mean = trees.output() == TreeOutput::MeanOfNumbers;
        let center = if is_mean && low <= high { low / 2.0 + high / 2.0 } else { 0.0 };
        let sizes =
            leaves().map(|leaf| (leaf - center).abs()).chain(trees.start().iter().map(|start| start.abs()));
        let scale = sizes.fold(0.0, f64::max);
        Self { center, scale: if scale > 0.0 { scale } else { 1.0 } }
    }
}

/// The sums of trees: rows × outputs.
fn sums(
    graph: &mut Graph,
    rows: &str,
    trees: &TreePredictor,
    start: &[f64],
    unit: Unit,
) -> Result<Name, OnnxError> {
    let outputs = trees.trees().first().map_or(1, |tree| tree.outputs()).max(trees.start().len());
    let of_sets = |tree: &Tree| tree.sets().iter().map(CategorySet::len).sum::<usize>();
    let nodes: usize =
        trees.trees().iter().map(|tree| tree.leaves() * (2 + tree.outputs()) + of_sets(tree)).sum();
    if nodes > MAX_ENTRIES {
        return Err(OnnxError::TooLarge { found: nodes, limit: MAX_ENTRIES });
    }
    let mut listed = Nodes::default();
    let turns = trees.start().len().max(1);
    for (number, tree) in trees.trees().iter().enumerate() {
        listed.tree(number as i64, tree.parts(), &|leaf| {
            let values = tree.leaf(leaf).iter().map(|value| (value - unit.center) / unit.scale);
            ((number % turns) as i64..).zip(values).collect()
        });
    }
    if trees.trees().is_empty() {
        listed.tree(0, [TreePart::Leaf(0)].into_iter(), &|_| vec![(0, 0.0)]);
    }
    let mut attributes = listed.attributes();
    attributes.push(int("n_targets", outputs as i64));
    attributes.push(string("aggregate_function", "SUM"));
    attributes.push(string("post_transform", "NONE"));
    if !start.is_empty() {
        attributes.push(tensor("base_values_as_tensor", doubles(&[start.len()], start)));
    }
    let sums = graph.ml("TreeEnsembleRegressor", rows, attributes);
    Ok(graph.cast(&sums, Type::Double))
}

/// The nodes of all trees, as the operator lists them.
#[derive(Default)]
struct Nodes {
    trees: Vec<i64>,
    ids: Vec<i64>,
    features: Vec<i64>,
    thresholds: Vec<f64>,
    modes: Vec<Bytes>,
    left: Vec<i64>,
    right: Vec<i64>,
    missing_left: Vec<i64>,
    leaf_trees: Vec<i64>,
    leaf_ids: Vec<i64>,
    targets: Vec<i64>,
    values: Vec<f64>,
}

impl Nodes {
    /// Adds a tree, whose leaves have these values of targets.
    fn tree(
        &mut self,
        tree: i64,
        parts: impl Iterator<Item = TreePart>,
        leaf: &dyn Fn(u32) -> Vec<(i64, f64)>,
    ) {
        let first = self.ids.len();
        // The questions that still lack a child: the places of their nodes; the flag says that the left one is there.
        let mut open: Vec<(Range<usize>, bool)> = Vec::new();
        for part in parts {
            let (place, id) = (self.ids.len(), (self.ids.len() - first) as i64);
            if let Some((places, has_left)) = open.pop() {
                // Of several nodes, which ask for one category each, all have the left child, and the last the right one.
                let (children, of) = match has_left {
                    false => (&mut self.left, places.clone()),
                    true => (&mut self.right, places.end - 1..places.end),
                };
                children.get_mut(of).unwrap_or_default().fill(id);
                if !has_left {
                    open.push((places, true));
                }
            }
            match part {
                TreePart::Split(split) => {
                    open.push((place..place + 1, false));
                    let feature = i64::from(split.feature);
                    self.node(tree, id, "BRANCH_LEQ", (feature, split.threshold, split.missing_left));
                }
                TreePart::Subset(subset) => {
                    for (id, code) in (id..).zip(subset.left.codes()) {
                        let feature = i64::from(subset.feature);
                        self.node(tree, id, "BRANCH_EQ", (feature, f64::from(code), subset.missing_left));
                        // The next node asks for the next category.
                        if let Some(next) = self.right.last_mut() {
                            *next = id + 1;
                        }
                    }
                    if subset.left.is_empty() {
                        // No code is below 0, so that only missing values go left, if any do.
                        let feature = i64::from(subset.feature);
                        self.node(tree, id, "BRANCH_LEQ", (feature, -1.0, subset.missing_left));
                    }
                    open.push((place..self.ids.len(), false));
                }
                TreePart::Leaf(number) => {
                    self.node(tree, id, "LEAF", (0, 0.0, false));
                    for (target, value) in leaf(number) {
                        self.leaf_trees.push(tree);
                        self.leaf_ids.push(id);
                        self.targets.push(target);
                        self.values.push(value);
                    }
                }
            }
        }
    }

    /// Adds a node, which has no children yet.
    fn node(
        &mut self,
        tree: i64,
        id: i64,
        mode: &'static str,
        (feature, threshold, missing_left): (i64, f64, bool),
    ) {
        self.trees.push(tree);
        self.ids.push(id);
        self.left.push(0);
        self.right.push(0);
        self.modes.push(Bytes::from_static(mode.as_bytes()));
        self.features.push(feature);
        self.thresholds.push(threshold);
        self.missing_left.push(i64::from(missing_left));
    }

    fn attributes(self) -> Vec<crate::onnx::proto::AttributeProto> {
        let (nodes, leaves) = (self.thresholds.len(), self.values.len());
        vec![
            ints("nodes_treeids", self.trees),
            ints("nodes_nodeids", self.ids),
            ints("nodes_featureids", self.features),
            tensor("nodes_values_as_tensor", doubles(&[nodes], &self.thresholds)),
            strings("nodes_modes", self.modes),
            ints("nodes_truenodeids", self.left),
            ints("nodes_falsenodeids", self.right),
            ints("nodes_missing_value_tracks_true", self.missing_left),
            ints("target_treeids", self.leaf_trees),
            ints("target_nodeids", self.leaf_ids),
            ints("target_ids", self.targets),
            tensor("target_weights_as_tensor", doubles(&[leaves], &self.values)),
        ]
    }
}
