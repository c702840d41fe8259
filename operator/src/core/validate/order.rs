//! The order of steps: each after what it reads or follows, and otherwise as the spec lists them.

use super::Errors;
use crate::core::pipeline::ValidStep;

/// Sorts steps so that each follows those it depends on; an error names the steps of a cycle in their order.
pub(super) fn in_order(steps: Vec<ValidStep>, errors: &mut Errors) -> Vec<ValidStep> {
    let mut waiting = steps;
    let mut ordered: Vec<ValidStep> = Vec::with_capacity(waiting.len());
    while let Some(next) = waiting
        .iter()
        .position(|step| dependencies(step).iter().all(|name| ordered.iter().any(|done| done.name == *name)))
    {
        ordered.push(waiting.remove(next));
    }
    if let Some(cycle) = find_cycle(&waiting) {
        errors.add_with_hint(
            "spec.steps",
            format!("steps wait for each other in a circle: {}", cycle.join(" → ")),
            "take one of these references away",
        );
    }
    ordered
}

fn dependencies(step: &ValidStep) -> Vec<String> {
    step.reads().into_iter().map(|read| read.step).chain(step.after.iter().cloned()).collect()
}

/// Follows dependencies among the steps that could not be ordered until one comes again.
fn find_cycle(waiting: &[ValidStep]) -> Option<Vec<String>> {
    let mut trail: Vec<String> = Vec::new();
    let mut current = waiting.first()?;
    loop {
        if let Some(start) = trail.iter().position(|name| *name == current.name) {
            let mut cycle = trail.split_off(start);
            cycle.push(current.name.clone());
            return Some(cycle);
        }
        trail.push(current.name.clone());
        let names = dependencies(current);
        current = waiting.iter().find(|step| names.contains(&step.name))?;
    }
}
