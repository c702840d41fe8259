//! Values that are made of nothing: constants, ranges, and shapes as values.

use super::super::kind::Kind;
use super::super::node::{Inputs, Node, Run};
use super::super::problem::Problem;
use super::super::tensor::Tensor;
use super::super::work::Work;
use super::shape::{lengths, moved};

/// What is made of shapes and numbers alone.
pub(super) fn made(node: &Node<'_>) -> Result<Option<Run>, Problem> {
    let (start, end) = (node.int("start", 0), node.int("end", i64::MAX));
    let fill = node.tensor("value")?;
    Ok(Some(match node.operator {
        "Shape" => Box::new(move |inputs, _| {
            let shape = inputs.get(0)?.shape();
            let rank = shape.len() as i64;
            let place = |at: i64| (if at < 0 { at.saturating_add(rank) } else { at }).clamp(0, rank) as usize;
            let part = shape.get(place(start)..place(end)).unwrap_or_default();
            Ok(vec![Tensor::new(vec![part.len()], part.iter().map(|length| *length as i64).collect())?])
        }),
        "Size" => Box::new(|inputs, _| Ok(vec![Tensor::new(Vec::new(), vec![inputs.get(0)?.len() as i64])?])),
        "Constant" => {
            let constant = constant(node)?;
            Box::new(move |_, _| Ok(vec![constant.clone()]))
        }
        "ConstantOfShape" => Box::new(move |inputs, work| {
            let shape = lengths(&inputs.get(0)?.integers()?)?;
            let zero = Tensor::new(vec![1], vec![0.0_f32])?;
            let value = fill.as_ref().unwrap_or(&zero);
            let count = work.reserve(&shape, Kind::I64)?;
            Ok(vec![moved(value, shape, &vec![0; count], work)?])
        }),
        "Range" => Box::new(range),
        _ => return Ok(None),
    }))
}

fn constant(node: &Node<'_>) -> Result<Tensor, Problem> {
    if let Some(tensor) = node.tensor("value")? {
        return Ok(tensor);
    }
    if node.has("value_float") {
        return Tensor::new(Vec::new(), vec![node.float("value_float", 0.0)]);
    }
    if node.has("value_int") {
        return Tensor::new(Vec::new(), vec![node.int("value_int", 0)]);
    }
    if node.has("value_string") {
        return Tensor::new(Vec::new(), vec![std::sync::Arc::<str>::from(node.string("value_string", "")?)]);
    }
    if node.has("value_floats") {
        let values = node.floats("value_floats").to_vec();
        return Tensor::new(vec![values.len()], values);
    }
    if node.has("value_ints") {
        let values = node.ints("value_ints").to_vec();
        return Tensor::new(vec![values.len()], values);
    }
    if node.has("value_strings") {
        let values = node.strings("value_strings")?;
        return Tensor::new(vec![values.len()], values);
    }
    Err(Problem::graph("it has no value that is computed with; sparse ones are not"))
}

fn range(inputs: &Inputs<'_>, work: &mut Work) -> Result<Vec<Tensor>, Problem> {
    let one = |place: usize| -> Result<f64, Problem> {
        let numbers = inputs.get(place)?.numbers()?;
        numbers.first().copied().ok_or_else(|| Problem::graph("a bound of its range is missing"))
    };
    let (start, limit, delta) = (one(0)?, one(1)?, one(2)?);
    let count = ((limit - start) / delta).ceil();
    if !(count.is_finite() && count < 1e9) {
        return Err(Problem::graph("its range has no end"));
    }
    let count = count.max(0.0) as usize;
    let kind = inputs.get(0)?.kind();
    work.reserve(&[count], Kind::F64)?;
    let numbers = (0..count).map(|place| start + delta * place as f64).collect();
    Ok(vec![super::cast::cast(&Tensor::new(vec![count], numbers)?, kind, work)?])
}
