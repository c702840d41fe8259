//! Tensors put side by side, and taken apart.

use super::super::kind::Kind;
use super::super::layout::{axis_of, shown, strides};
use super::super::node::{Node, Run};
use super::super::problem::Problem;
use super::super::tensor::{Element, Tensor, Values};
use super::shape::{axes_of, strided};

/// The operators.
pub(super) fn parting(node: &Node<'_>) -> Option<Run> {
    Some(match node.operator {
        "Concat" => concat(node.int("axis", 1)),
        "Split" => split(node),
        "Slice" => slice(node),
        _ => return None,
    })
}

/// Tensors side by side along an axis.
fn concat(axis: i64) -> Run {
    fn joined(parts: &[&Tensor], blocks: usize) -> Result<Values, Problem> {
        fn of<T: Element>(parts: &[&Tensor], blocks: usize) -> Result<Values, Problem> {
            let slices = parts.iter().map(|part| part.as_slice::<T>()).collect::<Result<Vec<_>, _>>()?;
            let mut all = Vec::with_capacity(slices.iter().map(|slice| slice.len()).sum());
            for block in 0..blocks {
                for slice in &slices {
                    let size = slice.len() / blocks.max(1);
                    all.extend_from_slice(slice.get(block * size..(block + 1) * size).unwrap_or_default());
                }
            }
            Ok(T::values(all))
        }
        match parts.first().map(|part| part.kind()) {
            Some(Kind::F32) | None => of::<f32>(parts, blocks),
            Some(Kind::F64) => of::<f64>(parts, blocks),
            Some(Kind::I64) => of::<i64>(parts, blocks),
            Some(Kind::I32) => of::<i32>(parts, blocks),
            Some(Kind::Bool) => of::<bool>(parts, blocks),
            Some(Kind::Text) => of::<std::sync::Arc<str>>(parts, blocks),
        }
    }
    Box::new(move |inputs, work| {
        let parts: Vec<&Tensor> = inputs.all().collect();
        let first = parts.first().ok_or_else(|| Problem::graph("it has no input"))?;
        let axis = axis_of(axis, first.shape().len())?;
        let mut shape = first.shape().to_vec();
        shape[axis] = 0;
        for part in &parts {
            let mut expected = shape.clone();
            expected.get_mut(axis).into_iter().for_each(|length| {
                *length = part.shape().get(axis).copied().unwrap_or_default();
            });
            if expected != part.shape() {
                let (one, other) = (shown(first.shape()), shown(part.shape()));
                return Err(Problem::graph(format!("shapes {one} and {other} do not fit side by side")));
            }
            shape[axis] = shape[axis].saturating_add(expected[axis]);
        }
        work.reserve(&shape, first.kind())?;
        let blocks = shape.get(..axis).unwrap_or_default().iter().product();
        Ok(vec![Tensor::of_values(shape, joined(&parts, blocks)?)?])
    })
}

/// A tensor in parts along an axis.
fn split(node: &Node<'_>) -> Run {
    let (axis, outputs) = (node.int("axis", 0), node.outputs);
    let of_attribute = node.ints("split").to_vec();
    Box::new(move |inputs, work| {
        let input = inputs.get(0)?;
        let axis = axis_of(axis, input.shape().len())?;
        let length = input.shape()[axis];
        let parts = match axes_of(&of_attribute, inputs, 1)? {
            Some(parts) => lengths_of_parts(&parts)?,
            None => {
                let size = length.div_ceil(outputs.max(1));
                (0..outputs).map(|part| size.min(length.saturating_sub(part * size))).collect()
            }
        };
        if parts.iter().try_fold(0_usize, |sum, part| sum.checked_add(*part)) != Some(length) {
            return Err(Problem::graph(format!("parts of {parts:?} are not {length} together")));
        }
        let steps: Vec<isize> = strides(input.shape()).into_iter().map(|apart| apart as isize).collect();
        let mut start = 0_isize;
        let made = parts.into_iter().map(|part| {
            let mut shape = input.shape().to_vec();
            shape[axis] = part;
            let made = strided(input, shape, &steps, start, work);
            start += part as isize * steps[axis];
            made
        });
        made.collect()
    })
}

fn lengths_of_parts(parts: &[i64]) -> Result<Vec<usize>, Problem> {
    let length =
        |value: &i64| usize::try_from(*value).map_err(|_| Problem::graph("a part has a negative length"));
    parts.iter().map(length).collect()
}

/// Ranges of a tensor's axes.
fn slice(node: &Node<'_>) -> Run {
    let of_attributes = (node.version < 10)
        .then(|| (node.ints("starts").to_vec(), node.ints("ends").to_vec(), node.ints("axes").to_vec()));
    Box::new(move |inputs, work| {
        let input = inputs.get(0)?;
        let (starts, ends, axes, step) = match &of_attributes {
            Some((starts, ends, axes)) => (starts.clone(), ends.clone(), axes.clone(), Vec::new()),
            None => {
                let optional = |place: usize| inputs.optional(place).map(Tensor::integers).transpose();
                (
                    inputs.get(1)?.integers()?,
                    inputs.get(2)?.integers()?,
                    optional(3)?.unwrap_or_default(),
                    optional(4)?.unwrap_or_default(),
                )
            }
        };
        let rank = input.shape().len();
        let mut shape = input.shape().to_vec();
        let mut steps: Vec<isize> = strides(input.shape()).into_iter().map(|apart| apart as isize).collect();
        let mut first = 0_isize;
        for (place, (start, end)) in starts.iter().zip(&ends).enumerate() {
            let axis = axis_of(axes.get(place).copied().unwrap_or(place as i64), rank)?;
            let step = step.get(place).copied().unwrap_or(1);
            if step == 0 {
                return Err(Problem::graph("a slice has steps of 0"));
            }
            let length = input.shape()[axis] as i64;
            let from_end = |value: i64| if value < 0 { value.saturating_add(length) } else { value };
            let (start, end) = if step > 0 {
                (from_end(*start).clamp(0, length), from_end(*end).clamp(0, length))
            } else {
                (from_end(*start).clamp(0, length - 1), from_end(*end).clamp(-1, length - 1))
            };
            let distance = if step > 0 { end - start } else { start - end };
            let count =
                if distance <= 0 { 0 } else { (distance as u64).div_ceil(step.unsigned_abs()) as usize };
            first += start.max(0) as isize * steps[axis];
            // A step is no longer than the dimension where more than one value is taken.
            steps[axis] *= step.clamp(-length.max(1), length.max(1)) as isize;
            shape[axis] = count;
        }
        Ok(vec![strided(input, shape, &steps, first, work)?])
    })
}
