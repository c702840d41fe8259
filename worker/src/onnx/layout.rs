//! Shapes: how many values they have places for, and where each lies.

use super::problem::Problem;

/// How many values a shape has places for.
pub(super) fn element_count(shape: &[usize]) -> Result<usize, Problem> {
    shape
        .iter()
        .try_fold(1_usize, |product, length| product.checked_mul(*length))
        .ok_or_else(|| Problem::graph(format!("the shape {} is too large", shown(shape))))
}

/// A shape as messages show it.
pub(super) fn shown(shape: &[usize]) -> String {
    const SHOWN: usize = 8;
    let lengths: Vec<String> = shape.iter().take(SHOWN).map(ToString::to_string).collect();
    let more = if shape.len() > SHOWN { ",…" } else { "" };
    format!("[{}{more}]", lengths.join(","))
}

/// How far apart the values of each dimension are.
pub(super) fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    let mut apart = 1_usize;
    for (stride, length) in strides.iter_mut().zip(shape).rev() {
        *stride = apart;
        apart = apart.saturating_mul(*length);
    }
    strides
}

/// The places of values that are so far apart in each dimension, in the order of a shape, beginning at one.
pub(super) fn places(shape: &[usize], steps: &[isize], start: isize) -> Vec<usize> {
    let count = shape.iter().product();
    let mut found = Vec::with_capacity(count);
    let mut at = vec![0_usize; shape.len()];
    let mut place = start;
    for _ in 0..count {
        found.push(usize::try_from(place).unwrap_or(usize::MAX));
        for axis in (0..shape.len()).rev() {
            at[axis] += 1;
            place += steps[axis];
            if at[axis] < shape[axis] {
                break;
            }
            place -= steps[axis] * shape[axis] as isize;
            at[axis] = 0;
        }
    }
    found
}

/// An axis from 0, of one that may count from the end.
pub(super) fn axis_of(axis: i64, rank: usize) -> Result<usize, Problem> {
    let from_start = if axis < 0 { axis + rank as i64 } else { axis };
    usize::try_from(from_start)
        .ok()
        .filter(|axis| *axis < rank)
        .ok_or_else(|| Problem::graph(format!("axis {axis} is not one of {rank} dimensions")))
}
