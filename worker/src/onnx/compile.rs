//! From a file's graph to a list of steps: names become numbers of slots, operators functions, and what is always the same is computed
//! once.

use std::collections::HashMap;

use super::error::GraphError;
use super::node::{Inputs, Node, Run, SCAN, place_of};
use super::operators::{self, ML_DOMAIN};
use super::problem::{Problem, shown_name};
use super::program::{Program, Slot, Step, enough};
use super::proto::{GraphProto, ModelProto, NodeProto};
use super::read_tensor::read_tensor;
use super::scan::scan;
use super::tensor::Tensor;
use super::work::Work;

/// The most nodes of a graph, and of the graphs within it.
pub const NODE_LIMIT: usize = 20_000;

/// How deep graphs may be within each other.
const GRAPH_DEPTH: usize = 3;

/// The versions that are read: of the format, of ONNX's own operators, and of those of classical models.
pub const FORMAT_VERSIONS: (i64, i64) = (3, 13);
/// See [`FORMAT_VERSIONS`].
pub const OPERATOR_VERSIONS: (i64, i64) = (7, 26);
/// See [`FORMAT_VERSIONS`].
pub const ML_OPERATOR_VERSIONS: (i64, i64) = (1, 5);

/// The operator whose result, a list of maps, is the matrix that it reads, with names for its columns.
pub(super) const ZIP_MAP: &str = "ZipMap";

/// The versions of the operators that a file names.
struct Versions(HashMap<String, i64>);

impl Versions {
    fn of(model: &ModelProto) -> Result<Self, GraphError> {
        let check = |what: &str, found: i64, (oldest, newest): (i64, i64)| {
            if (oldest..=newest).contains(&found) {
                return Ok(());
            }
            Err(GraphError::Version { what: what.to_owned(), found, oldest, newest })
        };
        check("format version", model.ir_version.unwrap_or_default(), FORMAT_VERSIONS)?;
        let mut versions = HashMap::new();
        for set in &model.opset_import {
            let domain = plain_domain(set.domain.as_deref()).to_owned();
            let version = set.version.unwrap_or_default();
            match domain.as_str() {
                "" => check("operator set version", version, OPERATOR_VERSIONS)?,
                ML_DOMAIN => check("ai.onnx.ml version", version, ML_OPERATOR_VERSIONS)?,
                // Only a node of it matters.
                _ => {}
            }
            versions.insert(domain, version);
        }
        Ok(Self(versions))
    }

    /// That of a node's operator.
    fn of_node(&self, node: &NodeProto) -> i64 {
        self.0.get(plain_domain(node.domain.as_deref())).copied().unwrap_or(1)
    }
}

fn plain_domain(domain: Option<&str>) -> &str {
    match domain {
        None | Some("ai.onnx") => "",
        Some(domain) => domain,
    }
}

/// Names, and the slots that they stand for.
#[derive(Default)]
struct Names {
    slots: HashMap<String, Slot>,
    count: usize,
}

impl Names {
    fn add(&mut self, name: &str) -> Result<Slot, GraphError> {
        let slot = self.count;
        self.count += 1;
        if !name.is_empty() && self.slots.insert(name.to_owned(), slot).is_some() {
            return Err(GraphError::Graph(format!("two values are called {}", shown_name(name))));
        }
        Ok(slot)
    }

    fn get(&self, name: &str) -> Option<Slot> {
        self.slots.get(name).copied()
    }
}

/// Compiles a file's graph.
pub(super) fn compile(model: &ModelProto, graph: &GraphProto) -> Result<Program, GraphError> {
    let versions = Versions::of(model)?;
    if let Some(function) = model.functions.first() {
        let name = shown_name(function.name.as_deref().unwrap_or_default());
        let problem = format!(
            "it has a function {name} of its own; write it in place with onnx.inliner.inline_local_functions"
        );
        return Err(GraphError::Graph(problem));
    }
    compile_graph(graph, &mut Context { versions, nodes: 0, depth: 0 })
}

/// What is known of a file while its graphs are compiled.
struct Context {
    versions: Versions,
    /// How many nodes there are so far.
    nodes: usize,
    /// How many graphs the one that is compiled is within.
    depth: usize,
}

/// Compiles the graph that a node computes again and again.
fn compile_within(node: &Node<'_>, place: &str, context: &mut Context) -> Result<Program, GraphError> {
    let wrong = |problem: &str| GraphError::Graph(format!("{place}: {problem}"));
    let graph = node.graph("body").ok_or_else(|| wrong("it has no graph"))?;
    if context.depth >= GRAPH_DEPTH {
        return Err(wrong(&format!("it has graphs within graphs, and at most {GRAPH_DEPTH} are computed")));
    }
    context.depth += 1;
    let made = compile_graph(graph, context);
    context.depth -= 1;
    made.map_err(|error| match error {
        GraphError::Graph(problem) => GraphError::Graph(format!("in the graph of {place}: {problem}")),
        other => other,
    })
}

fn compile_graph(graph: &GraphProto, context: &mut Context) -> Result<Program, GraphError> {
    context.nodes = context.nodes.saturating_add(graph.node.len());
    let found = context.nodes;
    if found > NODE_LIMIT {
        return Err(GraphError::Graph(format!(
            "it has {found} nodes, and at most {NODE_LIMIT} are computed"
        )));
    }
    if !graph.sparse_initializer.is_empty() {
        return Err(GraphError::Graph("it has sparse initializers; save it with dense ones".to_owned()));
    }
    let mut names = Names::default();
    let mut constants = HashMap::new();
    for tensor in &graph.initializer {
        let slot = names.add(tensor.name.as_deref().unwrap_or_default())?;
        constants.insert(slot, read_tensor(tensor).map_err(of_problem)?);
    }
    let mut inputs = Vec::new();
    for input in real_inputs(graph) {
        inputs.push(names.add(input.name.as_deref().unwrap_or_default())?);
    }
    let mut work = Work::new(1, false);
    let mut steps = Vec::new();
    for node in &graph.node {
        let step = step(node, context, &mut names)?;
        match folded(&step, &constants, &mut work) {
            Some(made) => constants.extend(step.outputs.into_iter().zip(made.map_err(of_problem)?)),
            None => steps.push(step),
        }
        work.settle(constants.values().map(Tensor::size).sum());
    }
    let output = |name: &str| {
        names
            .get(name)
            .ok_or_else(|| GraphError::Graph(format!("nothing makes its output {}", shown_name(name))))
    };
    let outputs: Vec<Slot> = graph
        .output
        .iter()
        .map(|value| output(value.name.as_deref().unwrap_or_default()))
        .collect::<Result<_, _>>()?;
    let mut program = Program { steps, constants, inputs, outputs, slots: names.count };
    program.mark_last_uses();
    Ok(program)
}

/// The inputs that rows are for: old files name constants among them.
pub(super) fn real_inputs(graph: &GraphProto) -> impl Iterator<Item = &super::proto::ValueInfoProto> {
    let is_constant = |name: &Option<String>| {
        graph.initializer.iter().any(|tensor| tensor.name.as_deref() == name.as_deref())
    };
    graph.input.iter().filter(move |input| !is_constant(&input.name))
}

fn of_problem(problem: Problem) -> GraphError {
    GraphError::Graph(problem.text().to_owned())
}

fn step(proto: &NodeProto, context: &mut Context, names: &mut Names) -> Result<Step, GraphError> {
    let place = place_of(proto);
    let domain = plain_domain(proto.domain.as_deref());
    let node = Node::new(proto, context.versions.of_node(proto))
        .map_err(|problem| of_problem(problem.at(&place)))?;
    let compiled = if domain == ML_DOMAIN && node.operator == ZIP_MAP {
        // What names its columns is read where its output is.
        Some(zip_map())
    } else if domain.is_empty() && node.operator == SCAN {
        let body = compile_within(&node, &place, context)?;
        Some(scan(&node, body).map_err(|problem| of_problem(problem.at(&place)))?)
    } else {
        operators::compile(domain, &node).map_err(|problem| of_problem(problem.at(&place)))?
    };
    let Some(run) = compiled else {
        let is_standard = domain.is_empty() || domain == ML_DOMAIN;
        let domain = if is_standard {
            String::new()
        } else {
            format!(": it is a custom one, of {}", shown_name(domain))
        };
        return Err(GraphError::Operator { place, domain });
    };
    let mut inputs = Vec::with_capacity(proto.input.len());
    for name in &proto.input {
        inputs.push(match name.as_str() {
            "" => None,
            name => Some(names.get(name).ok_or_else(|| {
                GraphError::Graph(format!(
                    "{place} reads {}, which nothing before it makes",
                    shown_name(name)
                ))
            })?),
        });
    }
    let outputs = proto.output.iter().map(|name| names.add(name)).collect::<Result<_, _>>()?;
    Ok(Step { place, run, inputs, outputs, done: Vec::new() })
}

fn zip_map() -> Run {
    Box::new(|inputs, work| {
        let input = inputs.get(0)?;
        Ok(vec![input.with_shape(input.shape().to_vec(), work)?])
    })
}

/// What a step makes of constants alone; `None` where it reads something else.
fn folded(
    step: &Step,
    constants: &HashMap<Slot, Tensor>,
    work: &mut Work,
) -> Option<Result<Vec<Tensor>, Problem>> {
    let inputs: Option<Vec<Option<&Tensor>>> = step
        .inputs
        .iter()
        .map(|slot| slot.map_or(Some(None), |slot| constants.get(&slot).map(Some)))
        .collect();
    let inputs = inputs?;
    let constant = (0..inputs.len()).collect();
    let made = (step.run)(&Inputs::new(inputs, constant), work).map_err(|problem| problem.at(&step.place));
    Some(made.and_then(|made| enough(made, step)))
}
