//! Values at places that other values name.

use super::super::kind::Kind;
use super::super::layout::{axis_of, element_count, strides};
use super::super::node::{Inputs, Node, Run};
use super::super::problem::Problem;
use super::super::tensor::Tensor;
use super::super::work::Work;
use super::shape::{lengths, moved};

/// The operators.
pub(super) fn gathering(node: &Node<'_>) -> Result<Option<Run>, Problem> {
    let axis = node.int("axis", if node.operator == "OneHot" { -1 } else { 0 });
    node.refuse(node.int("batch_dims", 0) != 0, "batch_dims other than 0")?;
    Ok(Some(match node.operator {
        "Gather" => Box::new(move |inputs, work| gather(inputs, axis, work)),
        "GatherElements" => Box::new(move |inputs, work| gather_elements(inputs, axis, work)),
        "GatherND" => Box::new(gather_nd),
        "OneHot" => Box::new(move |inputs, work| one_hot(inputs, axis, work)),
        // The last axis, at places that are a list.
        "ArrayFeatureExtractor" => Box::new(extract),
        "Compress" => {
            let axis = node.has("axis").then_some(axis);
            Box::new(move |inputs, work| compress(inputs, axis, work))
        }
        _ => return Ok(None),
    }))
}

/// The input of places.
const PLACES: usize = 1;

/// Whether a place that is not there is taken for the first: while shapes are tried, and it comes from a row.
fn is_lenient(inputs: &Inputs<'_>, work: &Work) -> bool {
    work.lenient && !inputs.is_constant(PLACES)
}

/// A place from 0, of one that may count from the end. One that is beyond is the fault of the value.
fn place(index: i64, length: usize, lenient: bool) -> Result<usize, Problem> {
    let from_start = if index < 0 { index.saturating_add(length as i64) } else { index };
    match usize::try_from(from_start).ok().filter(|place| *place < length) {
        Some(place) => Ok(place),
        None if lenient && length > 0 => Ok(0),
        None => {
            let problem = format!("place {index} is asked for, of {length}");
            Err(Problem::Value { row: None, problem })
        }
    }
}

fn gather(inputs: &Inputs<'_>, axis: i64, work: &mut Work) -> Result<Vec<Tensor>, Problem> {
    let (input, wanted, lenient) = (inputs.get(0)?, inputs.get(PLACES)?, is_lenient(inputs, work));
    let axis = axis_of(axis, input.shape().len())?;
    let (before, rest) = input.shape().split_at(axis);
    let (length, after) = rest.split_first().map_or((1, &[][..]), |(length, after)| (*length, after));
    let indices = wanted.integers()?;
    let indices =
        indices.into_iter().map(|index| place(index, length, lenient)).collect::<Result<Vec<_>, _>>()?;
    let shape = [before, wanted.shape(), after].concat();
    work.reserve(&shape, Kind::I64)?;
    let (blocks, size) = (element_count(before)?, element_count(after)?);
    let mut at = Vec::with_capacity(element_count(&shape)?);
    for block in 0..blocks {
        for index in &indices {
            let start = (block * length + index) * size;
            at.extend(start..start + size);
        }
    }
    Ok(vec![moved(input, shape, &at, work)?])
}

fn extract(inputs: &Inputs<'_>, work: &mut Work) -> Result<Vec<Tensor>, Problem> {
    let (input, wanted, lenient) = (inputs.get(0)?, inputs.get(PLACES)?, is_lenient(inputs, work));
    let length = input.shape().last().copied().unwrap_or(1);
    let indices = wanted.integers()?;
    let indices =
        indices.into_iter().map(|index| place(index, length, lenient)).collect::<Result<Vec<_>, _>>()?;
    let mut shape = match input.shape() {
        [] | [_] => vec![1],
        [before @ .., _] => before.to_vec(),
    };
    let blocks = element_count(&shape)?;
    shape.push(indices.len());
    work.reserve(&shape, Kind::I64)?;
    let at: Vec<usize> =
        (0..blocks).flat_map(|block| indices.iter().map(move |index| block * length + index)).collect();
    Ok(vec![moved(input, shape, &at, work)?])
}

fn gather_elements(inputs: &Inputs<'_>, axis: i64, work: &mut Work) -> Result<Vec<Tensor>, Problem> {
    let (input, wanted, lenient) = (inputs.get(0)?, inputs.get(PLACES)?, is_lenient(inputs, work));
    let axis = axis_of(axis, input.shape().len())?;
    let fits = wanted.shape().len() == input.shape().len()
        && wanted
            .shape()
            .iter()
            .zip(input.shape())
            .enumerate()
            .all(|(at, (own, all))| at == axis || own <= all);
    if !fits {
        return Err(Problem::graph("its places do not fit the shape of its values"));
    }
    work.reserve(wanted.shape(), Kind::I64)?;
    let (of_wanted, of_input) = (strides(wanted.shape()), strides(input.shape()));
    let mut at = Vec::with_capacity(wanted.len());
    for (flat, index) in wanted.integers()?.into_iter().enumerate() {
        let mut found = place(index, input.shape()[axis], lenient)? * of_input[axis];
        for other in (0..wanted.shape().len()).filter(|other| *other != axis) {
            found += flat / of_wanted[other] % wanted.shape()[other] * of_input[other];
        }
        at.push(found);
    }
    Ok(vec![moved(input, wanted.shape().to_vec(), &at, work)?])
}

fn gather_nd(inputs: &Inputs<'_>, work: &mut Work) -> Result<Vec<Tensor>, Problem> {
    let (input, wanted, lenient) = (inputs.get(0)?, inputs.get(PLACES)?, is_lenient(inputs, work));
    let Some((depth, outer)) = wanted.shape().split_last() else {
        return Err(Problem::graph("its places have no dimension"));
    };
    let (Some(named), Some(rest)) = (input.shape().get(..*depth), input.shape().get(*depth..)) else {
        return Err(Problem::graph("its places have more dimensions than its values"));
    };
    let (size, apart) = (element_count(rest)?, strides(input.shape()));
    let shape = [outer, rest].concat();
    work.reserve(&shape, Kind::I64)?;
    let mut at = Vec::with_capacity(element_count(&shape)?);
    let indices = wanted.integers()?;
    for tuple in 0..element_count(outer)? {
        let mut start = 0;
        for (axis, length) in named.iter().enumerate() {
            let index = indices.get(tuple * depth + axis).copied().unwrap_or_default();
            start += place(index, *length, lenient)? * apart[axis];
        }
        at.extend(start..start + size);
    }
    Ok(vec![moved(input, shape, &at, work)?])
}

fn one_hot(inputs: &Inputs<'_>, axis: i64, work: &mut Work) -> Result<Vec<Tensor>, Problem> {
    let (wanted, depth, values) = (inputs.get(0)?, inputs.get(1)?.numbers()?, inputs.get(2)?);
    let depth = depth.first().map(|depth| *depth as i64).unwrap_or_default();
    let depth = lengths(&[depth])?.first().copied().unwrap_or_default();
    let axis = axis_of(axis, wanted.shape().len() + 1)?;
    let mut shape = wanted.shape().to_vec();
    shape.insert(axis, depth);
    work.reserve(&shape, Kind::I64)?;
    let after: usize = wanted.shape().get(axis..).unwrap_or_default().iter().product();
    let indices = wanted.numbers()?;
    let mut at = vec![0_usize; element_count(&shape)?];
    for (flat, index) in indices.into_iter().enumerate() {
        let index = if index < 0.0 { index + depth as f64 } else { index };
        // A place beyond is off everywhere.
        if index >= 0.0 && (index as usize) < depth {
            let (block, inner) = (flat / after.max(1), flat % after.max(1));
            if let Some(slot) = at.get_mut((block * depth + index as usize) * after + inner) {
                *slot = 1;
            }
        }
    }
    Ok(vec![moved(values, shape, &at, work)?])
}

fn compress(inputs: &Inputs<'_>, axis: Option<i64>, work: &mut Work) -> Result<Vec<Tensor>, Problem> {
    let (input, kept) = (inputs.get(0)?, inputs.get(1)?.as_slice::<bool>()?);
    let flat;
    let (input, axis) = match axis {
        Some(axis) => (input, axis),
        None => {
            flat = input.with_shape(vec![input.len()], work)?;
            (&flat, 0)
        }
    };
    let places: Vec<i64> = kept.iter().zip(0..).filter(|(keep, _)| **keep).map(|(_, place)| place).collect();
    let places = Tensor::new(vec![places.len()], places)?;
    gather(&Inputs::new(vec![Some(input), Some(&places)], Vec::new()), axis, work)
}
