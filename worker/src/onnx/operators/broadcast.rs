//! Two tensors whose shapes are made alike by repeating: the rule of NumPy.

use super::super::layout::{places, shown, strides};
use super::super::problem::Problem;
use super::super::tensor::Element;
use super::super::work::Work;

/// The shape that two have together.
pub(super) fn common_shape(a: &[usize], b: &[usize]) -> Result<Vec<usize>, Problem> {
    let rank = a.len().max(b.len());
    let length = |shape: &[usize], axis: usize| {
        (axis + shape.len()).checked_sub(rank).and_then(|axis| shape.get(axis)).copied().unwrap_or(1)
    };
    let joined = (0..rank).map(|axis| match (length(a, axis), length(b, axis)) {
        (a, b) if a == b => Ok(a),
        (1, other) | (other, 1) => Ok(other),
        _ => Err(Problem::graph(format!("the shapes {} and {} do not fit each other", shown(a), shown(b)))),
    });
    joined.collect()
}

/// The places of a tensor's values when it is repeated to a shape that it fits.
pub(super) fn repeated_places(shape: &[usize], to: &[usize]) -> Vec<usize> {
    let missing = to.len().saturating_sub(shape.len());
    let apart = strides(shape);
    let steps: Vec<isize> = (0..to.len())
        .map(|axis| match axis.checked_sub(missing) {
            Some(own) if shape[own] != 1 => apart[own] as isize,
            _ => 0,
        })
        .collect();
    places(to, &steps, 0)
}

/// What a function makes of each pair of values.
pub(super) fn zip<A: Element, B: Element, C: Element>(
    (a, a_shape): (&[A], &[usize]),
    (b, b_shape): (&[B], &[usize]),
    work: &mut Work,
    function: impl Fn(&A, &B) -> C,
) -> Result<(Vec<usize>, Vec<C>), Problem> {
    let shape = common_shape(a_shape, b_shape)?;
    let count = work.reserve(&shape, C::KIND)?;
    let made = if count == 0 {
        Vec::new()
    } else if a.len() == count && b.len() == count {
        a.iter().zip(b).map(|(a, b)| function(a, b)).collect()
    } else if let [b] = b {
        a.iter().map(|a| function(a, b)).collect()
    } else if let [a] = a {
        b.iter().map(|b| function(a, b)).collect()
    } else if a.len() == count && shape.ends_with(without_ones(b_shape)) {
        // One row for all rows: what biases and scales are.
        a.chunks(b.len()).flat_map(|row| row.iter().zip(b).map(|(a, b)| function(a, b))).collect()
    } else {
        let (of_a, of_b) = (repeated_places(a_shape, &shape), repeated_places(b_shape, &shape));
        let pairs = of_a.iter().zip(&of_b).filter_map(|(of_a, of_b)| Some((a.get(*of_a)?, b.get(*of_b)?)));
        pairs.map(|(a, b)| function(a, b)).collect()
    };
    Ok((shape, made))
}

/// A shape without the ones that it begins with.
fn without_ones(shape: &[usize]) -> &[usize] {
    let ones = shape.iter().take_while(|length| **length == 1).count();
    shape.get(ones..).unwrap_or_default()
}
