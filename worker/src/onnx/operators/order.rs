//! The largest and smallest along an axis, and running sums.

use std::cmp::Ordering;

use super::super::kind::Kind;
use super::super::layout::axis_of;
use super::super::node::{Inputs, Node, Run};
use super::super::problem::Problem;
use super::super::tensor::Tensor;
use super::super::work::Work;
use super::cast::cast;
use super::shape::{lengths, moved};

/// The lines along an axis: for each, where it starts, and how far apart its values are.
struct Lines {
    length: usize,
    apart: usize,
    starts: Vec<usize>,
}

impl Lines {
    fn of(shape: &[usize], axis: usize) -> Self {
        let length = shape.get(axis).copied().unwrap_or(1);
        let apart: usize = shape.get(axis + 1..).unwrap_or_default().iter().product();
        let blocks: usize = shape.get(..axis).unwrap_or_default().iter().product();
        let starts =
            (0..blocks).flat_map(|block| (0..apart).map(move |inner| block * length * apart + inner));
        Self { length, apart, starts: starts.collect() }
    }

    fn places(&self, start: usize) -> impl Iterator<Item = usize> {
        (0..self.length).map(move |place| start + place * self.apart)
    }
}

/// The operators.
pub(super) fn ordering(node: &Node<'_>) -> Option<Run> {
    let axis = node.int("axis", if node.operator == "TopK" { -1 } else { 0 });
    Some(match node.operator {
        "ArgMax" | "ArgMin" => {
            let (is_max, keep, last) = (
                node.operator == "ArgMax",
                node.flag("keepdims", true),
                node.flag("select_last_index", false),
            );
            Box::new(move |inputs, work| best(inputs, axis, Best { is_max, keep, last }, work))
        }
        "TopK" => {
            let (largest, of_attribute) = (node.flag("largest", true), node.int("k", -1));
            Box::new(move |inputs, work| top(inputs, axis, largest, of_attribute, work))
        }
        "CumSum" => {
            let (exclusive, reverse) = (node.flag("exclusive", false), node.flag("reverse", false));
            Box::new(move |inputs, work| running_sum(inputs, exclusive, reverse, work))
        }
        _ => return None,
    })
}

#[derive(Clone, Copy)]
struct Best {
    is_max: bool,
    keep: bool,
    last: bool,
}

fn best(inputs: &Inputs<'_>, axis: i64, asked: Best, work: &mut Work) -> Result<Vec<Tensor>, Problem> {
    let input = inputs.get(0)?;
    let axis = axis_of(axis, input.shape().len())?;
    let lines = Lines::of(input.shape(), axis);
    work.reserve(input.shape(), Kind::F64)?;
    let values = input.numbers()?;
    let mut found = Vec::with_capacity(lines.starts.len());
    for start in &lines.starts {
        let mut best = (0_i64, f64::NAN);
        for (place, at) in lines.places(*start).enumerate() {
            let value = values.get(at).copied().unwrap_or(f64::NAN);
            let order = value.partial_cmp(&best.1);
            let wins = if asked.is_max { Ordering::Greater } else { Ordering::Less };
            if place == 0 || order == Some(wins) || (asked.last && order == Some(Ordering::Equal)) {
                best = (place as i64, value);
            }
        }
        found.push(best.0);
    }
    let mut shape = input.shape().to_vec();
    if asked.keep {
        shape.get_mut(axis).into_iter().for_each(|length| *length = 1);
    } else {
        shape.remove(axis);
    }
    Ok(vec![Tensor::new(shape, found)?])
}

fn top(
    inputs: &Inputs<'_>,
    axis: i64,
    largest: bool,
    of_attribute: i64,
    work: &mut Work,
) -> Result<Vec<Tensor>, Problem> {
    let input = inputs.get(0)?;
    let count = match inputs.optional(1) {
        Some(count) => count.integers()?.first().copied().unwrap_or_default(),
        None => of_attribute,
    };
    let count = lengths(&[count])?.first().copied().unwrap_or_default();
    let axis = axis_of(axis, input.shape().len())?;
    let lines = Lines::of(input.shape(), axis);
    if count > lines.length {
        return Err(Problem::graph(format!("{count} of {} values are asked for", lines.length)));
    }
    work.reserve(input.shape(), Kind::F64)?;
    work.step(input.len() as u64 * 32)?;
    let values = input.numbers()?;
    let mut shape = input.shape().to_vec();
    shape.get_mut(axis).into_iter().for_each(|length| *length = count);
    let size = work.reserve(&shape, Kind::I64)?;
    let (mut at, mut places) = (vec![0_usize; size], vec![0_i64; size]);
    let of_made = Lines::of(&shape, axis);
    for (start, made) in lines.starts.iter().zip(&of_made.starts) {
        let mut line: Vec<(usize, usize)> = lines.places(*start).enumerate().collect();
        line.sort_by(|(_, a), (_, b)| {
            let order = values.get(*a).partial_cmp(&values.get(*b)).unwrap_or(Ordering::Equal);
            if largest { order.reverse() } else { order }
        });
        for ((place, from), to) in line.into_iter().zip(of_made.places(*made)) {
            at.get_mut(to).into_iter().for_each(|slot| *slot = from);
            places.get_mut(to).into_iter().for_each(|slot| *slot = place as i64);
        }
    }
    Ok(vec![moved(input, shape.clone(), &at, work)?, Tensor::new(shape, places)?])
}

fn running_sum(
    inputs: &Inputs<'_>,
    exclusive: bool,
    reverse: bool,
    work: &mut Work,
) -> Result<Vec<Tensor>, Problem> {
    let input = inputs.get(0)?;
    let axis = inputs.get(1)?.integers()?.first().copied().unwrap_or_default();
    let axis = axis_of(axis, input.shape().len())?;
    let lines = Lines::of(input.shape(), axis);
    work.reserve(input.shape(), Kind::F64)?;
    let mut values = input.numbers()?;
    for start in &lines.starts {
        let mut order: Vec<usize> = lines.places(*start).collect();
        if reverse {
            order.reverse();
        }
        let mut sum = 0.0;
        for at in order {
            let Some(value) = values.get_mut(at) else { continue };
            let own = *value;
            *value = if exclusive { sum } else { sum + own };
            sum += own;
        }
    }
    Ok(vec![cast(&Tensor::new(input.shape().to_vec(), values)?, input.kind(), work)?])
}
