//! Which classes a graph answers with, as its nodes name them.

use std::collections::HashMap;

use super::node::Node;
use super::operators::ML_DOMAIN;
use super::proto::{GraphProto, NodeProto};
use super::read_tensor::read_tensor;
use super::tensor::{Tensor, Values};

/// How many nodes are followed from an output.
const FAR: usize = 256;

/// The values among which an output's are, where its nodes say so: the classes of a classifier, or a list that is looked up.
pub(super) fn labels_of(graph: &GraphProto, output: &str) -> Option<Values> {
    let makers: HashMap<&str, &NodeProto> = graph
        .node
        .iter()
        .flat_map(|node| node.output.iter().map(move |output| (output.as_str(), node)))
        .collect();
    let mut name = output;
    for _ in 0..FAR {
        let node = makers.get(name)?;
        let attributes = Node::new(node, 1).ok()?;
        let is_ml = node.domain.as_deref() == Some(ML_DOMAIN);
        let first = node.input.first().map(String::as_str);
        match node.op_type.as_deref().unwrap_or_default() {
            "ZipMap" | "TreeEnsembleClassifier" | "LinearClassifier" | "SVMClassifier" if is_ml => {
                return class_labels(&attributes);
            }
            "ArrayFeatureExtractor" | "Gather" => {
                return constant(graph, &makers, first?).map(|tensor| tensor.values().clone());
            }
            "LabelEncoder" if is_ml => return encoded(&attributes),
            "Identity" | "Reshape" | "Cast" | "Squeeze" | "Unsqueeze" | "Flatten" | "Transpose" => {
                name = first?
            }
            _ => return None,
        }
    }
    None
}

/// Whether an output's values are places of the largest or smallest of some numbers: 0, 1, and so on.
pub(super) fn are_places(graph: &GraphProto, output: &str) -> bool {
    let mut name = output;
    for _ in 0..FAR {
        let made = |node: &&NodeProto| node.output.iter().any(|output| output == name);
        let Some(node) = graph.node.iter().find(made) else { return false };
        match (node.op_type.as_deref().unwrap_or_default(), node.input.first()) {
            ("ArgMax" | "ArgMin", _) => return true,
            ("Identity" | "Reshape" | "Cast" | "Squeeze" | "Unsqueeze" | "Flatten", Some(first)) => {
                name = first
            }
            _ => return false,
        }
    }
    false
}

fn class_labels(node: &Node<'_>) -> Option<Values> {
    let texts = node.strings("classlabels_strings").ok()?;
    if !texts.is_empty() {
        return Some(Values::Text(texts));
    }
    let whole = [node.ints("classlabels_int64s"), node.ints("classlabels_ints")].concat();
    (!whole.is_empty()).then_some(Values::I64(whole))
}

/// The values of an encoder, in the order of its keys.
fn encoded(node: &Node<'_>) -> Option<Values> {
    let keys = node.ints("keys_int64s");
    let texts = node.strings("values_strings").ok()?;
    let mut pairs: Vec<_> = keys.iter().zip(texts).collect();
    pairs.sort();
    (!pairs.is_empty()).then(|| Values::Text(pairs.into_iter().map(|(_, text)| text).collect()))
}

fn constant(graph: &GraphProto, makers: &HashMap<&str, &NodeProto>, name: &str) -> Option<Tensor> {
    if let Some(tensor) = graph.initializer.iter().find(|tensor| tensor.name.as_deref() == Some(name)) {
        return read_tensor(tensor).ok();
    }
    let node = makers.get(name).filter(|node| node.op_type.as_deref() == Some("Constant"))?;
    Node::new(node, 1).ok()?.tensor("value").ok()?
}

/// A text that the nodes which read an input know: the first category of an encoder, or the first word.
pub(super) fn known_text(graph: &GraphProto, input: &str) -> Option<String> {
    let mut names = vec![input];
    for node in &graph.node {
        let reads = node.input.iter().any(|name| names.contains(&name.as_str()));
        if !reads || names.len() > FAR {
            continue;
        }
        let attributes = Node::new(node, 1).ok()?;
        for list in ["cats_strings", "keys_strings", "classes_strings", "pool_strings"] {
            if let Some(text) = attributes.strings(list).ok()?.first() {
                return Some(text.to_string());
            }
        }
        if node.input.len() == 1 || node.op_type.as_deref() != Some("Concat") {
            names.extend(node.output.iter().map(String::as_str));
        }
    }
    None
}
