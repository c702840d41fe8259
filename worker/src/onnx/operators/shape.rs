//! The shape of values, and values in other places of it: nothing is computed of them.

use super::super::kind::Kind;
use super::super::layout::{axis_of, element_count, places, shown, strides};
use super::super::node::{Inputs, Node, Run};
use super::super::problem::Problem;
use super::super::tensor::{Tensor, Values};
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
pub(super) fn axes_of(
    from_attribute: &[i64],
    inputs: &Inputs<'_>,
    place: usize,
) -> Result<Option<Vec<i64>>, Problem> {
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
        made[axis] = count.checked_div(known).unwrap_or_default();
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
