//! A file's tensors as values.

use std::sync::Arc;

use bytes::Bytes;

use super::half::{of_brain, of_half};
use super::layout::element_count;
use super::problem::{Problem, shown_name};
use super::proto::{TensorProto, data_type};
use super::tensor::{Tensor, Values};

/// The type of values that are computed with, by its number in a file. Smaller whole numbers are taken as 32-bit ones.
const INTEGERS: [(i32, usize); 5] =
    [(data_type::UINT8, 1), (data_type::INT8, 1), (4, 2), (5, 2), (data_type::INT32, 4)];

/// The values of a tensor.
///
/// # Errors
/// When they lie outside of the file, are of a type that is not computed with, or do not fit the shape.
pub(super) fn read_tensor(proto: &TensorProto) -> Result<Tensor, Problem> {
    let name = shown_name(proto.name.as_deref().unwrap_or_default());
    let at = |problem: Problem| problem.at(&format!("tensor {name}"));
    read(proto).map_err(at)
}

fn read(proto: &TensorProto) -> Result<Tensor, Problem> {
    if proto.data_location == Some(1) || !proto.external_data.is_empty() {
        let place = proto.external_data.iter().find(|entry| entry.key.as_deref() == Some("location"));
        let place = shown_name(place.and_then(|entry| entry.value.as_deref()).unwrap_or_default());
        return Err(Problem::graph(format!(
            "its values are external data, in another file {place}, and one file is read; save the model with save_as_external_data=False"
        )));
    }
    let shape = proto.dims.iter().map(|length| {
        usize::try_from(*length).map_err(|_| Problem::graph(format!("its shape has a length of {length}")))
    });
    let shape: Vec<usize> = shape.collect::<Result<_, _>>()?;
    let count = element_count(&shape)?;
    let kind = proto.data_type.unwrap_or_default();
    let raw = proto.raw_data.as_ref();
    let values = match kind {
        data_type::FLOAT => Values::F32(match raw {
            Some(raw) => little_endian(raw, count, f32::from_le_bytes)?,
            None => proto.float_data.clone(),
        }),
        data_type::DOUBLE => Values::F64(match raw {
            Some(raw) => little_endian(raw, count, f64::from_le_bytes)?,
            None => proto.double_data.clone(),
        }),
        data_type::INT64 => Values::I64(match raw {
            Some(raw) => little_endian(raw, count, i64::from_le_bytes)?,
            None => proto.int64_data.clone(),
        }),
        data_type::BOOL => Values::Bool(match raw {
            Some(raw) => little_endian(raw, count, |byte: [u8; 1]| byte != [0])?,
            None => proto.int32_data.iter().map(|value| *value != 0).collect(),
        }),
        data_type::STRING => Values::Text(proto.string_data.iter().map(read_text).collect::<Result<_, _>>()?),
        data_type::FLOAT16 => Values::F32(short_floats(proto, count, of_half)?),
        data_type::BFLOAT16 => Values::F32(short_floats(proto, count, of_brain)?),
        small if INTEGERS.iter().any(|(kind, _)| *kind == small) => Values::I32(match raw {
            Some(raw) => small_integers(raw, count, small)?,
            None => proto.int32_data.clone(),
        }),
        other => {
            return Err(Problem::graph(format!(
                "it is of type {}; float, double, float16, bfloat16, int64, int32, bool and string are computed with: convert the model to 32-bit floats",
                data_type::name(other)
            )));
        }
    };
    Tensor::of_values(shape, values)
}

/// Floats of 16 bits each, which lie in bytes or in the lower halves of whole numbers.
fn short_floats(proto: &TensorProto, count: usize, value: fn(u16) -> f32) -> Result<Vec<f32>, Problem> {
    match &proto.raw_data {
        Some(raw) => little_endian(raw, count, |bytes: [u8; 2]| value(u16::from_le_bytes(bytes))),
        None => Ok(proto.int32_data.iter().map(|bits| value(*bits as u16)).collect()),
    }
}

fn small_integers(raw: &Bytes, count: usize, kind: i32) -> Result<Vec<i32>, Problem> {
    match kind {
        data_type::UINT8 => little_endian(raw, count, |byte: [u8; 1]| i32::from(u8::from_le_bytes(byte))),
        data_type::INT8 => little_endian(raw, count, |byte: [u8; 1]| i32::from(i8::from_le_bytes(byte))),
        4 => little_endian(raw, count, |bytes: [u8; 2]| i32::from(u16::from_le_bytes(bytes))),
        5 => little_endian(raw, count, |bytes: [u8; 2]| i32::from(i16::from_le_bytes(bytes))),
        _ => little_endian(raw, count, i32::from_le_bytes),
    }
}

/// Values of so many bytes each.
fn little_endian<const SIZE: usize, T>(
    raw: &Bytes,
    count: usize,
    value: impl Fn([u8; SIZE]) -> T,
) -> Result<Vec<T>, Problem> {
    if count.checked_mul(SIZE) != Some(raw.len()) {
        let problem = format!("it has {} bytes, and {count} values of {SIZE} bytes are expected", raw.len());
        return Err(Problem::graph(problem));
    }
    let one = |bytes: &[u8]| <[u8; SIZE]>::try_from(bytes).ok().map(&value);
    Ok(raw.chunks_exact(SIZE).filter_map(one).collect())
}

/// A text, which is UTF-8.
pub(super) fn read_text(bytes: &Bytes) -> Result<Arc<str>, Problem> {
    std::str::from_utf8(bytes).map(Arc::from).map_err(|_| Problem::graph("a text in it is not UTF-8"))
}
