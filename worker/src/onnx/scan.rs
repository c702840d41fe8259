//! The operator that computes a graph of its own for each part of some inputs, one after the other: converters write distances to
//! rows of training with it, and texts that are changed one by one.
//!
//! Owns that it ends: it is as long as its inputs, and each part is counted as work. Must not know what is computed in it.

use super::node::{Inputs, Node, Run};
use super::problem::Problem;
use super::program::Program;
use super::tensor::{Tensor, Values};
use super::work::Work;

/// The work of a node, however little a part holds.
const STEPS_OF_NODE: u64 = 2000;

/// How many of a node's inputs and outputs are which.
#[derive(Clone, Copy)]
struct Counts {
    /// Values that each part leaves to the next.
    states: usize,
    /// Inputs that are taken apart.
    taken: usize,
    /// Outputs that are put together.
    made: usize,
}

/// The operator, of a graph that is compiled; its axes are the first ones, and it goes forward.
///
/// # Errors
/// When its settings are not computed, or do not fit its graph.
pub(super) fn scan(node: &Node<'_>, body: Program) -> Result<Run, Problem> {
    node.refuse(node.version < 9, "it before version 9")?;
    for name in ["scan_input_axes", "scan_output_axes", "scan_input_directions", "scan_output_directions"] {
        node.refuse(node.ints(name).iter().any(|value| *value != 0), &format!("{name} other than 0"))?;
    }
    let taken = usize::try_from(node.int("num_scan_inputs", 0)).ok().filter(|count| *count > 0);
    let states = taken.and_then(|taken| body.inputs.len().checked_sub(taken));
    let made = states.and_then(|states| body.outputs.len().checked_sub(states));
    let (Some(taken), Some(states), Some(made)) = (taken, states, made) else {
        return Err(Problem::graph("num_scan_inputs does not fit its graph"));
    };
    let counts = Counts { states, taken, made };
    Ok(Box::new(move |inputs: &Inputs<'_>, work: &mut Work| each_part(&body, counts, inputs, work)))
}

fn each_part(
    body: &Program,
    Counts { states, taken, made }: Counts,
    inputs: &Inputs<'_>,
    work: &mut Work,
) -> Result<Vec<Tensor>, Problem> {
    let mut state: Vec<Tensor> =
        (0..states).map(|place| inputs.get(place).cloned()).collect::<Result<_, _>>()?;
    let parts: Vec<&Tensor> =
        (states..states + taken).map(|place| inputs.get(place)).collect::<Result<_, _>>()?;
    let count = parts.first().and_then(|part| part.shape().first()).copied().unwrap_or_default();
    if count == 0 || parts.iter().any(|part| part.shape().first() != Some(&count)) {
        return Err(Problem::graph("its inputs have not as many parts as each other, or none"));
    }
    let before = work.in_use();
    let mut together: Vec<Option<(Vec<usize>, Values)>> = vec![None; made];
    for place in 0..count {
        work.step((body.steps.len() as u64 + 1).saturating_mul(STEPS_OF_NODE))?;
        let mut of_part = std::mem::take(&mut state);
        for part in &parts {
            of_part.push(part_of(part, place, count)?);
        }
        let held: usize = together.iter().flatten().map(|(_, values)| values.size()).sum();
        work.settle(before.saturating_add(held));
        let mut outputs = body.run(of_part, work)?;
        let own = outputs.split_off(states);
        state = outputs;
        for (all, own) in together.iter_mut().zip(own) {
            add(all, own)?;
        }
    }
    work.settle(before);
    let whole = together.into_iter().flatten().map(|(shape, values)| {
        let shape = [&[count], shape.as_slice()].concat();
        work.reserve(&shape, values.kind())?;
        Tensor::of_values(shape, values)
    });
    let whole = whole.collect::<Result<Vec<_>, _>>()?;
    Ok([state, whole].concat())
}

/// One of so many parts of an input, along its first dimension.
fn part_of(input: &Tensor, place: usize, count: usize) -> Result<Tensor, Problem> {
    let shape = input.shape().get(1..).unwrap_or_default().to_vec();
    let width = input.len() / count;
    Tensor::of_values(shape, input.values().part(place * width, width))
}

/// Puts what a part made behind what those before it made.
fn add(all: &mut Option<(Vec<usize>, Values)>, own: Tensor) -> Result<(), Problem> {
    let Some((shape, values)) = all else {
        *all = Some((own.shape().to_vec(), own.values().clone()));
        return Ok(());
    };
    if shape != own.shape() || !values.extend(own.values()) {
        return Err(Problem::graph("its graph makes values of another shape or type for each part"));
    }
    Ok(())
}
