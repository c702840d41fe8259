//! One node of a graph while it is compiled: its attributes by name and type, and the versions that it means.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::problem::{Problem, shown_name};
use super::proto::{AttributeProto, GraphProto, NodeProto};
use super::read_tensor::{read_tensor, read_text};
use super::tensor::Tensor;
use super::work::Work;

/// The one operator of control flow that is computed.
pub(super) const SCAN: &str = "Scan";

/// What a node computes, from its inputs.
pub(super) type Run = Box<dyn Fn(&Inputs<'_>, &mut Work) -> Result<Vec<Tensor>, Problem> + Send + Sync>;

/// What a node reads; one that is left out is none.
pub(super) struct Inputs<'a> {
    values: Vec<Option<&'a Tensor>>,
    /// Those that are the same for all rows, by their places.
    constant: Vec<usize>,
}

impl<'a> Inputs<'a> {
    /// Inputs, and the places of those that are the same for all rows.
    pub(super) fn new(values: Vec<Option<&'a Tensor>>, constant: Vec<usize>) -> Self {
        Self { values, constant }
    }

    /// Whether an input is the same for all rows, so that what is wrong with it is wrong with the graph.
    pub(super) fn is_constant(&self, place: usize) -> bool {
        self.constant.contains(&place)
    }

    /// An input that must be there.
    pub(super) fn get(&self, place: usize) -> Result<&'a Tensor, Problem> {
        self.optional(place).ok_or_else(|| Problem::graph(format!("its input {place} is missing")))
    }

    /// An input that may be left out.
    pub(super) fn optional(&self, place: usize) -> Option<&'a Tensor> {
        self.values.get(place).copied().flatten()
    }

    /// All that are there.
    pub(super) fn all(&self) -> impl Iterator<Item = &'a Tensor> {
        self.values.iter().filter_map(|input| *input)
    }
}

/// A node to compile.
pub(super) struct Node<'a> {
    /// Its operator.
    pub operator: &'a str,
    /// The version of the operator's set that the file names.
    pub version: i64,
    /// How many outputs it has.
    pub outputs: usize,
    attributes: BTreeMap<&'a str, &'a AttributeProto>,
}

impl<'a> Node<'a> {
    /// A node of a file.
    ///
    /// # Errors
    /// When an attribute is a graph, and the operator none whose graph is computed.
    pub(super) fn new(proto: &'a NodeProto, version: i64) -> Result<Self, Problem> {
        let mut attributes = BTreeMap::new();
        for attribute in &proto.attribute {
            let name = attribute.name.as_deref().unwrap_or_default();
            if attribute.g.is_some() && proto.op_type.as_deref() != Some(SCAN) {
                let problem = format!("its attribute {name} is a graph, and control flow is not computed");
                return Err(Problem::graph(problem));
            }
            attributes.insert(name, attribute);
        }
        let outputs = proto.output.len();
        Ok(Self { operator: proto.op_type.as_deref().unwrap_or_default(), version, outputs, attributes })
    }

    /// Whether an attribute is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.attributes.contains_key(name)
    }

    pub(super) fn int(&self, name: &str, default: i64) -> i64 {
        self.attributes.get(name).and_then(|attribute| attribute.i).unwrap_or(default)
    }

    pub(super) fn flag(&self, name: &str, default: bool) -> bool {
        self.int(name, i64::from(default)) != 0
    }

    pub(super) fn float(&self, name: &str, default: f32) -> f32 {
        self.attributes.get(name).and_then(|attribute| attribute.f).unwrap_or(default)
    }

    pub(super) fn ints(&self, name: &str) -> &'a [i64] {
        self.attributes.get(name).map_or(&[], |attribute| attribute.ints.as_slice())
    }

    pub(super) fn floats(&self, name: &str) -> &'a [f32] {
        self.attributes.get(name).map_or(&[], |attribute| attribute.floats.as_slice())
    }

    pub(super) fn strings(&self, name: &str) -> Result<Vec<Arc<str>>, Problem> {
        let texts = self.attributes.get(name).map_or(&[][..], |attribute| attribute.strings.as_slice());
        texts.iter().map(read_text).collect()
    }

    /// A text, or what it is where the attribute is absent.
    pub(super) fn string(&self, name: &str, default: &str) -> Result<String, Problem> {
        match self.attributes.get(name).and_then(|attribute| attribute.s.as_ref()) {
            Some(text) => Ok(read_text(text)?.to_string()),
            None => Ok(default.to_owned()),
        }
    }

    /// The graph that is computed again and again.
    pub(super) fn graph(&self, name: &str) -> Option<&'a GraphProto> {
        self.attributes.get(name).and_then(|attribute| attribute.g.as_deref())
    }

    pub(super) fn tensor(&self, name: &str) -> Result<Option<Tensor>, Problem> {
        let tensor = self.attributes.get(name).and_then(|attribute| attribute.t.as_ref());
        tensor.map(read_tensor).transpose()
    }

    /// The values of numbers, be they floats or, in the newer attribute, a tensor.
    pub(super) fn numbers(&self, name: &str) -> Result<Vec<f64>, Problem> {
        match self.tensor(&format!("{name}_as_tensor"))? {
            Some(tensor) => tensor.numbers(),
            None => match self.tensor(name)? {
                Some(tensor) => tensor.numbers(),
                None => Ok(self.floats(name).iter().map(|value| f64::from(*value)).collect()),
            },
        }
    }

    /// Refuses a setting that is not computed.
    pub(super) fn refuse(&self, is_set: bool, what: &str) -> Result<(), Problem> {
        if is_set { Err(Problem::graph(format!("{what} is not computed"))) } else { Ok(()) }
    }
}

/// Where a problem is: the node's name, or else what it makes, and its operator.
pub(super) fn place_of(proto: &NodeProto) -> String {
    let name = proto.name.as_deref().filter(|name| !name.is_empty());
    let operator = shown_name(proto.op_type.as_deref().unwrap_or_default());
    let name = name.or(proto.output.first().map(String::as_str)).unwrap_or_default();
    format!("node {} of operator {}", shown_name(name), operator.trim_matches('"'))
}
