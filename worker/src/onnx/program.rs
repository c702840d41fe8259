//! A graph that is compiled: its steps in their order, and computing them.
//!
//! Owns which values are in memory, and for how long. Must not know how a file writes a graph.

use std::collections::HashMap;

use super::node::{Inputs, Run};
use super::problem::Problem;
use super::tensor::Tensor;
use super::work::Work;

/// The number of a value.
pub(super) type Slot = usize;

/// A node, ready to compute.
pub(super) struct Step {
    pub place: String,
    pub run: Run,
    pub inputs: Vec<Option<Slot>>,
    pub outputs: Vec<Slot>,
    /// The values that nothing after this needs.
    pub done: Vec<Slot>,
}

/// A graph's steps, in their order.
pub(super) struct Program {
    pub steps: Vec<Step>,
    pub constants: HashMap<Slot, Tensor>,
    pub inputs: Vec<Slot>,
    pub outputs: Vec<Slot>,
    /// How many values there are.
    pub slots: usize,
}

/// An operator makes all that its node names.
pub(super) fn enough(made: Vec<Tensor>, step: &Step) -> Result<Vec<Tensor>, Problem> {
    if made.len() < step.outputs.len() {
        let (named, made) = (step.outputs.len(), made.len());
        return Err(Problem::graph(format!("{} names {named} outputs, and {made} are computed", step.place)));
    }
    Ok(made)
}

impl Program {
    /// Computes the outputs from inputs, which are as many as it has. What it holds comes to what is in use already.
    ///
    /// # Errors
    /// As [`super::Graph::run`].
    pub(super) fn run(&self, inputs: Vec<Tensor>, work: &mut Work) -> Result<Vec<Tensor>, Problem> {
        let before = work.in_use();
        let mut slots: Vec<Option<Tensor>> = vec![None; self.slots];
        let mut held = inputs.iter().map(Tensor::size).fold(before, usize::saturating_add);
        for (slot, tensor) in self.inputs.iter().zip(inputs) {
            slots[*slot] = Some(tensor);
        }
        for step in &self.steps {
            work.settle(held);
            let value = |slot: Slot| slots[slot].as_ref().or_else(|| self.constants.get(&slot));
            let mut inputs = Vec::with_capacity(step.inputs.len());
            for slot in &step.inputs {
                inputs.push(match slot {
                    Some(slot) => {
                        Some(value(*slot).ok_or_else(|| {
                            Problem::graph(format!("{} reads what was not made", step.place))
                        })?)
                    }
                    None => None,
                });
            }
            let is_constant =
                |slot: &Option<Slot>| slot.is_some_and(|slot| self.constants.contains_key(&slot));
            let constant = (0..).zip(&step.inputs).filter(|(_, slot)| is_constant(slot));
            let inputs = Inputs::new(inputs, constant.map(|(place, _)| place).collect());
            let made = (step.run)(&inputs, work).and_then(|made| enough(made, step));
            let made = made.map_err(|problem| problem.at(&step.place))?;
            for (slot, tensor) in step.outputs.iter().zip(made) {
                held = held.saturating_add(tensor.size());
                slots[*slot] = Some(tensor);
            }
            for slot in &step.done {
                if let Some(gone) = slots[*slot].take() {
                    held = held.saturating_sub(gone.size());
                }
            }
        }
        work.settle(before);
        let mut outputs = Vec::with_capacity(self.outputs.len());
        for (place, slot) in self.outputs.iter().enumerate() {
            let is_last = !self.outputs.get(place + 1..).unwrap_or_default().contains(slot);
            let made = if is_last { slots[*slot].take() } else { slots[*slot].clone() };
            let made = made.or_else(|| self.constants.get(slot).cloned());
            outputs.push(made.ok_or_else(|| Problem::graph("an output was not made"))?);
        }
        Ok(outputs)
    }

    /// Notes after which step each value is no longer needed.
    pub(super) fn mark_last_uses(&mut self) {
        let mut last: HashMap<Slot, usize> = HashMap::new();
        for (place, step) in self.steps.iter().enumerate() {
            for slot in step.inputs.iter().flatten().chain(&step.outputs) {
                last.insert(*slot, place);
            }
        }
        for (slot, place) in last {
            let is_kept = self.outputs.contains(&slot) || self.constants.contains_key(&slot);
            if let Some(step) = self.steps.get_mut(place).filter(|_| !is_kept) {
                step.done.push(slot);
            }
        }
    }
}
