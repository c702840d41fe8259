//! Small files for tests: a graph of a few nodes.

use bytes::Bytes;
use prost::Message;

use super::proto::{
    AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto, data_type,
};

/// A node of a name, which is that of its operator in lower case.
pub(crate) fn node(operator: &str, inputs: &[&str], outputs: &[&str]) -> NodeProto {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    NodeProto {
        input: owned(inputs),
        output: owned(outputs),
        name: Some(format!("my {}", operator.to_lowercase())),
        op_type: Some(operator.to_owned()),
        ..NodeProto::default()
    }
}

/// [`node`] with whole numbers for an attribute.
pub(crate) fn node_with(node: NodeProto, name: &str, i: Option<i64>, ints: &[i64]) -> NodeProto {
    let attribute =
        AttributeProto { name: Some(name.to_owned()), i, ints: ints.to_vec(), ..AttributeProto::default() };
    NodeProto { attribute: [node.attribute.clone(), vec![attribute]].concat(), ..node }
}

/// An input or output of a type and of a shape; 0 is any length.
pub(crate) fn value(name: &str, kind: i32, shape: &[i64]) -> ValueInfoProto {
    let dim = shape.iter().map(|length| DimensionProto {
        dim_value: Some(*length).filter(|length| *length > 0),
        ..DimensionProto::default()
    });
    let shape = Some(TensorShapeProto { dim: dim.collect() });
    let tensor_type = Some(TensorTypeProto { elem_type: Some(kind), shape });
    ValueInfoProto { name: Some(name.to_owned()), kind: Some(TypeProto { tensor_type }), doc_string: None }
}

/// Constant whole numbers.
pub(crate) fn integers(name: &str, values: &[i64]) -> TensorProto {
    TensorProto {
        dims: vec![values.len() as i64],
        data_type: Some(data_type::INT64),
        int64_data: values.to_vec(),
        name: Some(name.to_owned()),
        ..TensorProto::default()
    }
}

/// A model of a graph, of versions that are read.
pub(crate) fn model(
    node: Vec<NodeProto>,
    initializer: Vec<TensorProto>,
    input: Vec<ValueInfoProto>,
    outputs: &[&str],
) -> ModelProto {
    let output = outputs.iter().map(|name| value(name, data_type::FLOAT, &[0, 0])).collect();
    let graph = GraphProto { node, initializer, input, output, ..GraphProto::default() };
    let set = |domain: &str, version| OperatorSetIdProto {
        domain: Some(domain.to_owned()),
        version: Some(version),
    };
    ModelProto {
        ir_version: Some(8),
        graph: Some(graph),
        opset_import: vec![set("", 18), set("ai.onnx.ml", 3)],
        ..ModelProto::default()
    }
}

/// Nodes of one input `x` of floats, rows × columns, that answer with `y`.
pub(crate) fn of_nodes(nodes: Vec<NodeProto>, constants: Vec<TensorProto>, columns: i64) -> ModelProto {
    model(nodes, constants, vec![value("x", data_type::FLOAT, &[0, columns])], &["y"])
}

/// The bytes of a file.
pub(crate) fn bytes(model: &ModelProto) -> Bytes {
    model.encode_to_vec().into()
}
