//! Constants, attributes and types, from Rust's values to the messages of the file.

use bytes::Bytes;

use crate::onnx::proto::{
    AttributeProto, DimensionProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto,
    ValueInfoProto, attribute_type, data_type,
};

/// The name of the first dimension of all inputs and outputs: how many rows there are.
const ROWS: &str = "N";

/// The type of a tensor's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Double,
    Int64,
    String,
    Bool,
}

impl Type {
    pub(super) fn code(self) -> i32 {
        match self {
            Self::Double => data_type::DOUBLE,
            Self::Int64 => data_type::INT64,
            Self::String => data_type::STRING,
            Self::Bool => data_type::BOOL,
        }
    }
}

/// 64-bit floats in this shape.
pub(super) fn doubles(shape: &[usize], values: &[f64]) -> TensorProto {
    raw(Type::Double, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect())
}

/// 64-bit whole numbers in this shape.
pub(super) fn integers(shape: &[usize], values: &[i64]) -> TensorProto {
    raw(Type::Int64, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect())
}

/// Booleans, one after the other.
pub(super) fn booleans(values: &[bool]) -> TensorProto {
    raw(Type::Bool, &[values.len()], values.iter().map(|value| u8::from(*value)).collect())
}

/// Texts, one after the other.
pub(super) fn texts(values: &[&str]) -> TensorProto {
    TensorProto {
        dims: vec![values.len() as i64],
        data_type: Some(data_type::STRING),
        string_data: values.iter().map(|text| Bytes::copy_from_slice(text.as_bytes())).collect(),
        ..TensorProto::default()
    }
}

fn raw(of: Type, shape: &[usize], bytes: Vec<u8>) -> TensorProto {
    TensorProto {
        dims: shape.iter().map(|length| *length as i64).collect(),
        data_type: Some(of.code()),
        raw_data: Some(bytes.into()),
        ..TensorProto::default()
    }
}

fn attribute(name: &str, kind: i32) -> AttributeProto {
    AttributeProto { name: Some(name.to_owned()), kind: Some(kind), ..AttributeProto::default() }
}

/// An attribute that is a whole number.
pub(super) fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto { i: Some(value), ..attribute(name, attribute_type::INT) }
}

/// An attribute that is a text.
pub(super) fn string(name: &str, value: &'static str) -> AttributeProto {
    AttributeProto {
        s: Some(Bytes::from_static(value.as_bytes())),
        ..attribute(name, attribute_type::STRING)
    }
}

/// An attribute of whole numbers.
pub(super) fn ints(name: &str, values: Vec<i64>) -> AttributeProto {
    AttributeProto { ints: values, ..attribute(name, attribute_type::INTS) }
}

/// An attribute of texts.
pub(super) fn strings(name: &str, values: Vec<Bytes>) -> AttributeProto {
    AttributeProto { strings: values, ..attribute(name, attribute_type::STRINGS) }
}

/// An attribute that is a tensor.
pub(super) fn tensor(name: &str, value: TensorProto) -> AttributeProto {
    // Readers ask tensors of attributes for a name too.
    let value = TensorProto { name: Some(name.to_owned()), ..value };
    AttributeProto { t: Some(value), ..attribute(name, attribute_type::TENSOR) }
}

/// An input or output with a row for each row of the table; of `width` values each, or of one without a dimension for it.
pub(super) fn value_info(name: &str, of: Type, width: Option<usize>, note: &str) -> ValueInfoProto {
    let rows = DimensionProto { dim_param: Some(ROWS.to_owned()), dim_value: None };
    let columns = width.map(|width| DimensionProto { dim_value: Some(width as i64), dim_param: None });
    let shape = TensorShapeProto { dim: [rows].into_iter().chain(columns).collect() };
    let tensor = TensorTypeProto { elem_type: Some(of.code()), shape: Some(shape) };
    ValueInfoProto {
        name: Some(name.to_owned()),
        kind: Some(TypeProto { tensor_type: Some(tensor) }),
        doc_string: (!note.is_empty()).then(|| note.to_owned()),
    }
}
