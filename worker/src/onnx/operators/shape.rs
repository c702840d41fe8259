//! The shape of values, and values in other places of it: nothing is computed of them.

use super::super::node::{Inputs, Node, Run};
use super::super::problem::Problem;
use super::super::tensor::{Kind, Tensor, Values, axis_of, element_count, places, shown, strides};
use super::super::work::Work;
use super::broadcast::{common_shape, repeated_places};

/// Values at places of an input, in a shape.
pub(super) fn moved(
    input: &Tensor,
    shape: Vec<usize>,
    at: &[usize],
    work: &mut Work,
) -> Result<Tensor, Problem> {
    work.reserve(&shape, input.kind())?;
    Tensor::of_values(shape, input.values().take(at))
}

/// Values that are so far apart, in a shape.
pub(super) fn strided(
    input: &Tensor,
    shape: Vec<usize>,
    steps: &[isize],
    start: isize,
    work: &mut Work,
) -> Result<Tensor, Problem> {
    // The places are in memory too.
    work.reserve(&shape, Kind::I64)?;
    let at = places(&shape, steps, start);
    moved(input, shape, &at, work)
}

/// Axes that an attribute names, or an input since a version of the operator; none where neither does.
fn axes_of(from_attribute: &[i64], inputs: &Inputs<'_>, place: usize) -> Result<Option<Vec<i64>>, Problem> {
    if !from_attribute.is_empty() {
        return Ok(Some(from_attribute.to_vec()));
    }
    inputs.optional(place).map(Tensor::integers).transpose()
}

/// Another shape for the same values.
pub(super) fn reshaping(node: &Node<'_>) -> Option<Run> {
    let axes = node.ints("axes").to_vec();
    let of_attribute = node.ints("shape").to_vec();
    let (axis, allows_zero) = (node.int("axis", 1), node.flag("allowzero", false));
    Some(match node.operator {
        "Identity" | "Dropout" => Box::new(|inputs, work| {
            let input = inputs.get(0)?;
            Ok(vec![input.with_shape(input.shape().to_vec(), work)?])
        }),
        "Reshape" => Box::new(move |inputs, work| {
            let input = inputs.get(0)?;
            let wanted =
                if of_attribute.is_empty() { inputs.get(1)?.integers()? } else { of_attribute.clone() };
            let shape = reshaped(input.shape(), &wanted, allows_zero)?;
            Ok(vec![input.with_shape(shape, work)?])
        }),
        "Flatten" => Box::new(move |inputs, work| {
            let input = inputs.get(0)?;
            let rank = input.shape().len();
            let axis = if axis == rank as i64 { rank } else { axis_of(axis, rank.max(1))? };
            let (before, after) = input.shape().split_at(axis.min(rank));
            Ok(vec![input.with_shape(vec![element_count(before)?, element_count(after)?], work)?])
        }),
        "Squeeze" => Box::new(move |inputs, work| {
            let input = inputs.get(0)?;
            let rank = input.shape().len();
            let gone = match axes_of(&axes, inputs, 1)? {
                Some(axes) => {
                    axes.into_iter().map(|axis| axis_of(axis, rank)).collect::<Result<Vec<_>, _>>()?
                }
                None => (0..rank).filter(|axis| input.shape()[*axis] == 1).collect(),
            };
            if let Some(axis) = gone.iter().find(|axis| input.shape()[**axis] != 1) {
                let shape = shown(input.shape());
                return Err(Problem::graph(format!("axis {axis} of shape {shape} is not of length 1")));
            }
            let kept = input.shape().iter().enumerate().filter(|(axis, _)| !gone.contains(axis));
            Ok(vec![input.with_shape(kept.map(|(_, length)| *length).collect(), work)?])
        }),
        "Unsqueeze" => Box::new(move |inputs, work| {
            let input = inputs.get(0)?;
            let axes = axes_of(&axes, inputs, 1)?.unwrap_or_default();
            let rank = input.shape().len() + axes.len();
            let new = axes.into_iter().map(|axis| axis_of(axis, rank)).collect::<Result<Vec<_>, _>>()?;
            let mut old = input.shape().iter();
            let lengths =
                (0..rank).map(|axis| if new.contains(&axis) { Some(1) } else { old.next().copied() });
            let shape = lengths.collect::<Option<Vec<_>>>();
            let shape = shape.ok_or_else(|| Problem::graph("an axis is named twice"))?;
            Ok(vec![input.with_shape(shape, work)?])
        }),
        _ => return None,
    })
}

fn reshaped(shape: &[usize], wanted: &[i64], allows_zero: bool) -> Result<Vec<usize>, Problem> {
    let wrong = || Problem::graph(format!("values of shape {} cannot be of shape {wanted:?}", shown(shape)));
    if wanted.len() > 16 {
        return Err(Problem::graph("more than 16 dimensions are not computed with"));
    }
    let mut made = Vec::with_capacity(wanted.len());
    let mut open = None;
    for (axis, length) in wanted.iter().enumerate() {
        made.push(match length {
            0 if !allows_zero => *shape.get(axis).ok_or_else(wrong)?,
            -1 if open.is_none() => {
                open = Some(axis);
                1
            }
            length => usize::try_from(*length).map_err(|_| wrong())?,
        });
    }
    if let Some(axis) = open {
        let known = element_count(&made)?;
        let count = element_count(shape)?;
        made[axis] = if known == 0 { 0 } else { count / known };
    }
    if element_count(&made)? == element_count(shape)? { Ok(made) } else { Err(wrong()) }
}

/// The same values in an order of other axes, repeated, side by side, or in parts.
pub(super) fn moving(node: &Node<'_>) -> Option<Run> {
    Some(match node.operator {
        "Transpose" => transpose(node.ints("perm").to_vec()),
        "Expand" => Box::new(|inputs, work| {
            let input = inputs.get(0)?;
            let wanted = lengths(&inputs.get(1)?.integers()?)?;
            let shape = common_shape(input.shape(), &wanted)?;
            work.reserve(&shape, Kind::I64)?;
            let at = repeated_places(input.shape(), &shape);
            Ok(vec![moved(input, shape, &at, work)?])
        }),
        "Tile" => Box::new(|inputs, work| {
            let (input, repeats) = (inputs.get(0)?, lengths(&inputs.get(1)?.integers()?)?);
            if repeats.len() != input.shape().len() {
                return Err(Problem::graph("it has not one number of repeats for each dimension"));
            }
            // Each dimension is its repeats and its values; the repeats move nowhere.
            let (mut shape, mut steps, mut out) = (Vec::new(), Vec::new(), Vec::new());
            for ((repeat, length), apart) in repeats.iter().zip(input.shape()).zip(strides(input.shape())) {
                shape.extend([*repeat, *length]);
                steps.extend([0, apart as isize]);
                out.push(repeat.saturating_mul(*length));
            }
            let tiled = strided(input, shape, &steps, 0, work)?;
            Ok(vec![tiled.with_shape(out, work)?])
        }),
        "Concat" => concat(node.int("axis", 1)),
        "Split" => split(node),
        "Slice" => slice(node),
        "Trilu" => {
            let upper = node.flag("upper", true);
            Box::new(move |inputs, work| trilu(inputs, upper, work))
        }
        _ => return None,
    })
}

/// Lengths of dimensions.
pub(super) fn lengths(values: &[i64]) -> Result<Vec<usize>, Problem> {
    let length = |value: &i64| {
        usize::try_from(*value).map_err(|_| Problem::graph(format!("a length of {value} is asked for")))
    };
    if values.len() > 16 {
        return Err(Problem::graph("more than 16 dimensions are not computed with"));
    }
    values.iter().map(length).collect()
}

fn transpose(order: Vec<i64>) -> Run {
    Box::new(move |inputs, work| {
        let input = inputs.get(0)?;
        let rank = input.shape().len();
        let order: Vec<usize> = if order.is_empty() {
            (0..rank).rev().collect()
        } else {
            order.iter().map(|axis| axis_of(*axis, rank)).collect::<Result<_, _>>()?
        };
        let mut sorted = order.clone();
        sorted.sort_unstable();
        if sorted != (0..rank).collect::<Vec<_>>() {
            return Err(Problem::graph(format!("its order of axes {order:?} is not one of {rank} axes")));
        }
        let apart = strides(input.shape());
        let shape = order.iter().map(|axis| input.shape()[*axis]).collect();
        let steps: Vec<isize> = order.iter().map(|axis| apart[*axis] as isize).collect();
        Ok(vec![strided(input, shape, &steps, 0, work)?])
    })
}

fn concat(axis: i64) -> Run {
    fn joined(parts: &[&Tensor], blocks: usize) -> Result<Values, Problem> {
        fn of<T: super::super::tensor::Element>(parts: &[&Tensor], blocks: usize) -> Result<Values, Problem> {
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

/// The upper or the lower triangle of matrices, and 0 elsewhere.
fn trilu(inputs: &Inputs<'_>, upper: bool, work: &mut Work) -> Result<Vec<Tensor>, Problem> {
    fn kept<T: Clone + Default>(
        values: &[T],
        (rows, columns): (usize, usize),
        keep: impl Fn(usize, usize) -> bool,
    ) -> Vec<T> {
        let place = |at: usize| ((at / columns.max(1)) % rows.max(1), at % columns.max(1));
        let value = |(at, value): (usize, &T)| {
            let (row, column) = place(at);
            if keep(row, column) { value.clone() } else { T::default() }
        };
        values.iter().enumerate().map(value).collect()
    }
    let input = inputs.get(0)?;
    let diagonal = match inputs.optional(1) {
        Some(offset) => offset.integers()?.first().copied().unwrap_or_default(),
        None => 0,
    };
    let [.., rows, columns] = *input.shape() else { return Err(Problem::graph("it needs matrices")) };
    let keep = |row: usize, column: usize| {
        let distance = (column as i64).saturating_sub(row as i64);
        if upper { distance >= diagonal } else { distance <= diagonal }
    };
    work.reserve(input.shape(), input.kind())?;
    let size = (rows, columns);
    let values = match input.values() {
        Values::F32(values) => Values::F32(kept(values, size, keep)),
        Values::F64(values) => Values::F64(kept(values, size, keep)),
        Values::I64(values) => Values::I64(kept(values, size, keep)),
        Values::I32(values) => Values::I32(kept(values, size, keep)),
        Values::Bool(values) => Values::Bool(kept(values, size, keep)),
        Values::Text(_) => return Err(Problem::graph("a text has no 0")),
    };
    Ok(vec![Tensor::of_values(input.shape().to_vec(), values)?])
}

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
