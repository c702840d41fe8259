//! One number of many: along axes of a tensor.

use super::super::kind::Kind;
use super::super::layout::{axis_of, places, strides};
use super::super::node::{Inputs, Node, Run};
use super::super::problem::Problem;
use super::super::tensor::Tensor;
use super::super::work::Work;
use super::cast::cast;

/// How many are joined, two at a time, in their order.
#[derive(Clone, Copy)]
struct Reduction {
    start: f64,
    /// What counts of a value.
    of: fn(f64) -> f64,
    join: fn(f64, f64) -> f64,
    /// What is made of the sum and the count.
    end: fn(f64, f64) -> f64,
}

fn reduction(operator: &str) -> Option<Reduction> {
    let plain = Reduction { start: 0.0, of: |value| value, join: |a, b| a + b, end: |sum, _| sum };
    Some(match operator {
        "ReduceSum" => plain,
        "ReduceMean" => Reduction { end: |sum, count| sum / count, ..plain },
        "ReduceMax" => Reduction {
            start: f64::NEG_INFINITY,
            join: |a, b| if b.is_nan() || b > a { b } else { a },
            ..plain
        },
        "ReduceMin" => {
            Reduction { start: f64::INFINITY, join: |a, b| if b.is_nan() || b < a { b } else { a }, ..plain }
        }
        "ReduceProd" => Reduction { start: 1.0, join: |a, b| a * b, ..plain },
        "ReduceL1" => Reduction { of: f64::abs, ..plain },
        "ReduceL2" => Reduction { of: |value| value * value, end: |sum, _| sum.sqrt(), ..plain },
        "ReduceSumSquare" => Reduction { of: |value| value * value, ..plain },
        "ReduceLogSum" => Reduction { end: |sum, _| sum.ln(), ..plain },
        _ => return None,
    })
}

/// The operators.
pub(super) fn reducing(node: &Node<'_>) -> Option<Run> {
    let axes = node.ints("axes").to_vec();
    let (keep, does_nothing) = (node.flag("keepdims", true), node.flag("noop_with_empty_axes", false));
    if node.operator == "ReduceLogSumExp" {
        return Some(Box::new(move |inputs, work| {
            let asked = Asked { axes: &axes, keep, does_nothing };
            log_sum_exp(inputs, &asked, work)
        }));
    }
    let reduction = reduction(node.operator)?;
    Some(Box::new(move |inputs, work| {
        let input = inputs.get(0)?;
        let asked = Asked { axes: &axes, keep, does_nothing };
        let Some(gone) = asked.gone(inputs)? else {
            return Ok(vec![input.with_shape(input.shape().to_vec(), work)?]);
        };
        let reduced = reduce(input, &gone, reduction, work)?;
        let kept = cast(&reduced, input.kind(), work)?;
        Ok(vec![asked.finish(kept, &gone, work)?])
    }))
}

/// What a node asks for.
struct Asked<'a> {
    axes: &'a [i64],
    keep: bool,
    does_nothing: bool,
}

impl Asked<'_> {
    /// The axes that are reduced; `None` where none is.
    fn gone(&self, inputs: &Inputs<'_>) -> Result<Option<Vec<usize>>, Problem> {
        let rank = inputs.get(0)?.shape().len();
        let axes = match inputs.optional(1) {
            Some(axes) => axes.integers()?,
            None => self.axes.to_vec(),
        };
        if axes.is_empty() {
            return Ok((!self.does_nothing).then(|| (0..rank).collect()));
        }
        axes.into_iter().map(|axis| axis_of(axis, rank)).collect::<Result<_, _>>().map(Some)
    }

    /// Without the axes that are gone, unless they are kept as ones.
    fn finish(&self, reduced: Tensor, gone: &[usize], work: &mut Work) -> Result<Tensor, Problem> {
        if self.keep {
            return Ok(reduced);
        }
        let kept = reduced.shape().iter().enumerate().filter(|(axis, _)| !gone.contains(axis));
        let shape = kept.map(|(_, length)| *length).collect();
        reduced.with_shape(shape, work)
    }
}

/// Reduces axes to ones, in 64-bit floats.
fn reduce(input: &Tensor, gone: &[usize], by: Reduction, work: &mut Work) -> Result<Tensor, Problem> {
    let shape: Vec<usize> = input
        .shape()
        .iter()
        .enumerate()
        .map(|(axis, length)| if gone.contains(&axis) { 1 } else { *length })
        .collect();
    work.reserve(input.shape(), Kind::F64)?;
    work.reserve(input.shape(), Kind::I64)?;
    let count = work.reserve(&shape, Kind::F64)?;
    let apart = strides(&shape);
    let steps: Vec<isize> =
        (0..shape.len()).map(|axis| if gone.contains(&axis) { 0 } else { apart[axis] as isize }).collect();
    let mut sums = vec![by.start; count];
    for (value, place) in input.numbers()?.into_iter().zip(places(input.shape(), &steps, 0)) {
        if let Some(sum) = sums.get_mut(place) {
            *sum = (by.join)(*sum, (by.of)(value));
        }
    }
    let each = input.len() as f64 / count.max(1) as f64;
    Tensor::new(shape, sums.into_iter().map(|sum| (by.end)(sum, each)).collect())
}

/// By the largest value, so that nothing overflows.
fn log_sum_exp(inputs: &Inputs<'_>, asked: &Asked<'_>, work: &mut Work) -> Result<Vec<Tensor>, Problem> {
    let input = inputs.get(0)?;
    let Some(gone) = asked.gone(inputs)? else {
        return Ok(vec![input.with_shape(input.shape().to_vec(), work)?]);
    };
    let Some(largest) = reduction("ReduceMax") else { return Err(Problem::graph("there is no maximum")) };
    let (Some(sum), kind) = (reduction("ReduceLogSum"), input.kind()) else {
        return Err(Problem::graph("there is no sum"));
    };
    let largest = reduce(input, &gone, largest, work)?;
    let of_largest: Vec<f64> =
        largest.as_slice::<f64>()?.iter().map(|value| if value.is_finite() { *value } else { 0.0 }).collect();
    let (shape, less) = super::broadcast::zip(
        (&input.numbers()?, input.shape()),
        (&of_largest, largest.shape()),
        work,
        |value: &f64, largest: &f64| (value - largest).exp(),
    )?;
    let logs = reduce(&Tensor::new(shape, less)?, &gone, sum, work)?;
    let sums: Vec<f64> =
        logs.as_slice::<f64>()?.iter().zip(&of_largest).map(|(log, largest)| log + largest).collect();
    let kept = cast(&Tensor::new(logs.shape().to_vec(), sums)?, kind, work)?;
    Ok(vec![asked.finish(kept, &gone, work)?])
}
