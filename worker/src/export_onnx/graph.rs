//! The graph while it is made: each operator comes after what it reads, and each value has a name of its own.
//!
//! Must not know what a model is.

use super::value::{Type, int, value_info};
use crate::onnx::proto::{
    AttributeProto, GraphProto, NodeProto, OperatorSetIdProto, TensorProto, ValueInfoProto,
};

/// The version of the format, which came with [`OPERATORS`].
pub(super) const FORMAT_VERSION: i64 = 8;

/// The version of ONNX's own operators.
const OPERATORS: i64 = 15;

/// The operators of classical models.
const ML_DOMAIN: &str = "ai.onnx.ml";

/// Their version: the first whose trees compare 64-bit floats.
const ML_OPERATORS: i64 = 3;

/// The name of a value.
pub(super) type Name = String;

/// A graph that is not whole yet.
pub(super) struct Graph {
    /// What the names of all values within begin with, and no name of an input or output does.
    prefix: String,
    count: usize,
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
    inputs: Vec<ValueInfoProto>,
    outputs: Vec<ValueInfoProto>,
}

impl Graph {
    /// A graph without nodes; the names of its inputs and outputs are these.
    pub(super) fn new<'a>(taken: impl Iterator<Item = &'a str> + Clone) -> Self {
        let mut prefix = "_".to_owned();
        while taken.clone().any(|name| name.starts_with(&prefix)) {
            prefix.push('_');
        }
        let (nodes, constants, inputs, outputs) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { prefix, count: 0, nodes, constants, inputs, outputs }
    }

    fn fresh(&mut self) -> Name {
        self.count += 1;
        format!("{}{}", self.prefix, self.count)
    }

    /// A column of the table.
    pub(super) fn input(&mut self, name: &str, of: Type, note: &str) {
        self.inputs.push(value_info(name, of, Some(1), note));
    }

    /// Answers with a value under a name.
    pub(super) fn output(&mut self, name: &str, of: Type, width: Option<usize>, value: &str) {
        self.outputs.push(value_info(name, of, width, ""));
        self.push("Identity", None, &[value], name.to_owned(), Vec::new());
    }

    /// A value that is always the same.
    pub(super) fn constant(&mut self, tensor: TensorProto) -> Name {
        let name = self.fresh();
        self.constants.push(TensorProto { name: Some(name.clone()), ..tensor });
        name
    }

    /// What an operator makes of values.
    pub(super) fn op(&mut self, op: &str, inputs: &[&str]) -> Name {
        self.op_with(op, inputs, Vec::new())
    }

    /// What an operator with attributes makes of values.
    pub(super) fn op_with(&mut self, op: &str, inputs: &[&str], attributes: Vec<AttributeProto>) -> Name {
        let name = self.fresh();
        self.push(op, None, inputs, name.clone(), attributes);
        name
    }

    /// What an operator of classical models makes of a value.
    pub(super) fn ml(&mut self, op: &str, input: &str, attributes: Vec<AttributeProto>) -> Name {
        let name = self.fresh();
        self.push(op, Some(ML_DOMAIN), &[input], name.clone(), attributes);
        name
    }

    /// What an operator makes of a value and a constant.
    pub(super) fn with(&mut self, op: &str, input: &str, constant: TensorProto) -> Name {
        let constant = self.constant(constant);
        self.op(op, &[input, &constant])
    }

    /// A value as another type.
    pub(super) fn cast(&mut self, input: &str, to: Type) -> Name {
        self.op_with("Cast", &[input], vec![int("to", i64::from(to.code()))])
    }

    /// Columns side by side.
    pub(super) fn concat(&mut self, columns: &[Name]) -> Name {
        match columns {
            [one] => one.clone(),
            _ => {
                let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
                self.op_with("Concat", &columns, vec![int("axis", 1)])
            }
        }
    }

    fn push(
        &mut self,
        op: &str,
        domain: Option<&str>,
        inputs: &[&str],
        output: Name,
        with: Vec<AttributeProto>,
    ) {
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|name| (*name).to_owned()).collect(),
            output: vec![output],
            op_type: Some(op.to_owned()),
            attribute: with,
            domain: domain.map(str::to_owned),
            ..NodeProto::default()
        });
    }

    /// The whole graph, and the operators that it is made of.
    pub(super) fn finish(self, name: &str) -> (GraphProto, Vec<OperatorSetIdProto>) {
        let operators = |domain: &str, version| OperatorSetIdProto {
            domain: Some(domain.to_owned()),
            version: Some(version),
        };
        let graph = GraphProto {
            node: self.nodes,
            name: Some(name.to_owned()),
            initializer: self.constants,
            input: self.inputs,
            output: self.outputs,
            ..GraphProto::default()
        };
        (graph, vec![operators("", OPERATORS), operators(ML_DOMAIN, ML_OPERATORS)])
    }
}
