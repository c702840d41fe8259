//! A graph that is read, checked and compiled: what it takes, what it answers, and computing it for rows.

use std::fmt;

use bytes::Bytes;
use prost::Message;

use super::compile::{compile, real_inputs};
use super::error::GraphError;
use super::half::Rounding;
use super::kind::Kind;
use super::labels::{are_places, known_text, labels_of};
use super::operators::kind_of;
use super::problem::{Problem, shown_name};
use super::program::Program;
use super::proto::{ModelProto, ValueInfoProto};
use super::tensor::{Tensor, Values};
use super::wire::{FILE_LIMIT, expanded_size};
use super::work::Work;

/// The most memory that its messages may take.
const EXPANDED_LIMIT: u64 = 1 << 30;

/// The most inputs or outputs.
const PORT_LIMIT: usize = 4096;

/// What a graph takes: the values of one column or of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphInput {
    /// Its name.
    pub name: String,
    /// The type of its values.
    pub kind: Kind,
    /// The lengths of its dimensions; `None` where any fits.
    pub shape: Vec<Option<usize>>,
    /// What its maker says of it.
    pub note: String,
    /// To which floats its values are rounded.
    pub(super) rounding: Rounding,
    /// A text that the graph knows, of an input of texts.
    pub known_text: Option<String>,
}

/// What a graph answers with.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphOutput {
    /// Its name.
    pub name: String,
    /// The values among which its own are, or that its columns are of, where the graph says so.
    pub labels: Option<Values>,
    /// Whether its values are places of the largest or smallest of some numbers: 0, 1, and so on.
    pub places: bool,
}

/// A graph that can be computed.
pub struct Graph {
    program: Program,
    inputs: Vec<GraphInput>,
    outputs: Vec<GraphOutput>,
    producer: String,
}

impl fmt::Debug for Graph {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = self.program.steps.len();
        formatter
            .debug_struct("Graph")
            .field("inputs", &self.inputs)
            .field("outputs", &self.outputs)
            .field("steps", &steps)
            .finish_non_exhaustive()
    }
}

impl Graph {
    /// Reads, checks and compiles a file.
    ///
    /// # Errors
    /// When the bytes are no ONNX file of a version that is read, are too large, or the graph has an operator, a type or a setting that
    /// is not computed.
    pub fn read(bytes: &Bytes) -> Result<Self, GraphError> {
        let found = bytes.len() as u64;
        if found > FILE_LIMIT {
            return Err(GraphError::TooLarge { found });
        }
        let expanded = expanded_size(bytes);
        if expanded > EXPANDED_LIMIT {
            return Err(GraphError::Expands { found: expanded, limit: EXPANDED_LIMIT });
        }
        let model =
            ModelProto::decode(bytes.clone()).map_err(|error| GraphError::Malformed(error.to_string()))?;
        let graph =
            model.graph.as_ref().ok_or_else(|| GraphError::Malformed("it has no graph".to_owned()))?;
        let program = compile(&model, graph)?;
        let inputs: Vec<&ValueInfoProto> = real_inputs(graph).collect();
        if inputs.is_empty() || graph.output.is_empty() {
            return Err(GraphError::Graph("it has no inputs or no outputs".to_owned()));
        }
        if inputs.len() > PORT_LIMIT || graph.output.len() > PORT_LIMIT {
            return Err(GraphError::Graph(format!("it has more than {PORT_LIMIT} inputs or outputs")));
        }
        let mut taken = Vec::with_capacity(inputs.len());
        for value in inputs {
            let mut input = input(value)?;
            if input.kind == Kind::Text {
                input.known_text = known_text(graph, &input.name);
            }
            taken.push(input);
        }
        let outputs = graph.output.iter().map(|value| {
            let name = value.name.clone().unwrap_or_default();
            GraphOutput { labels: labels_of(graph, &name), places: are_places(graph, &name), name }
        });
        Ok(Self {
            program,
            inputs: taken,
            outputs: outputs.collect(),
            producer: model.producer_name.clone().unwrap_or_default(),
        })
    }

    /// What it takes, in its order.
    #[must_use]
    pub fn inputs(&self) -> &[GraphInput] {
        &self.inputs
    }

    /// What it answers with, in its order.
    #[must_use]
    pub fn outputs(&self) -> &[GraphOutput] {
        &self.outputs
    }

    /// The program that wrote it, by its own word.
    #[must_use]
    pub fn producer(&self) -> &str {
        &self.producer
    }

    /// How many nodes are computed for rows.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.program.steps.len()
    }

    /// Computes the outputs for so many rows. A `lenient` run takes values that the graph does not know for ones that it knows: it is for
    /// finding out which shapes there are.
    ///
    /// # Errors
    /// When the inputs are not as many as the graph takes, shapes or types do not fit, a value of a row is none that it computes with, or
    /// it takes more memory or work than rows may.
    pub fn run(&self, inputs: Vec<Tensor>, rows: usize, lenient: bool) -> Result<Vec<Tensor>, Problem> {
        if inputs.len() != self.program.inputs.len() {
            return Err(Problem::graph(format!("it takes {} inputs", self.program.inputs.len())));
        }
        let rounded = |(tensor, input): (Tensor, &GraphInput)| input.rounding.apply(tensor);
        let inputs = inputs.into_iter().zip(&self.inputs).map(rounded).collect();
        self.program.run(inputs, &mut Work::new(rows, lenient))
    }
}

fn input(value: &ValueInfoProto) -> Result<GraphInput, GraphError> {
    let name = value.name.clone().unwrap_or_default();
    let wrong = |problem: String| GraphError::Graph(format!("its input {} {problem}", shown_name(&name)));
    let tensor = value.kind.as_ref().and_then(|kind| kind.tensor_type.as_ref());
    let tensor = tensor.ok_or_else(|| wrong("is not a tensor".to_owned()))?;
    let code = tensor.elem_type.unwrap_or_default();
    let (kind, rounding) = (kind_of(i64::from(code)), Rounding::of(code));
    let kind =
        kind.map_err(|problem| wrong(format!("is of a type that is not taken: {}", problem.text())))?;
    let dims = tensor.shape.as_ref().map(|shape| shape.dim.as_slice()).unwrap_or_default();
    let shape = dims.iter().map(|dim| dim.dim_value.and_then(|length| usize::try_from(length).ok()));
    let shape = shape.map(|length| length.filter(|length| *length > 0)).collect();
    let note = value.doc_string.clone().unwrap_or_default();
    Ok(GraphInput { kind, shape, note, rounding, known_text: None, name })
}
