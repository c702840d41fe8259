//! The order of steps: each after what it reads or follows, and otherwise as the spec lists them.

use super::Errors;
use crate::pipeline::ValidStep;

/// Sorts steps so that each follows those it depends on; an error for each circle names its steps in their order.
/// References that lead nowhere are left aside: they have errors of their own.
pub(super) fn in_order(steps: Vec<ValidStep>, errors: &mut Errors) -> Vec<ValidStep> {
    let names: Vec<String> = steps.iter().map(|step| step.name.clone()).collect();
    let mut waiting = steps;
    let mut ordered: Vec<ValidStep> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let is_free = |step: &ValidStep| {
            dependencies(step, &names).iter().all(|name| ordered.iter().any(|done| done.name == *name))
        };
        if let Some(next) = waiting.iter().position(is_free) {
            ordered.push(waiting.remove(next));
            continue;
        }
        let circle = find_circle(&waiting, &names);
        let mut trail = circle.clone();
        trail.extend(circle.first().cloned());
        errors.add_with_hint(
            "spec.steps",
            format!("steps wait for each other in a circle: {}", trail.join(" → ")),
            "remove one of these references",
        );
        // The search for others continues as if this one were fixed.
        let (fixed, rest): (Vec<ValidStep>, Vec<ValidStep>) =
            waiting.into_iter().partition(|step| circle.contains(&step.name));
        ordered.extend(fixed);
        waiting = rest;
    }
    ordered
}

/// What a step reads or follows, of the steps that there are, itself aside.
fn dependencies(step: &ValidStep, names: &[String]) -> Vec<String> {
    step.follows().into_iter().filter(|name| *name != step.name && names.contains(name)).collect()
}

/// Follows dependencies among steps that all wait for another of them until one comes again; the circle begins with the
/// first of its names, whatever the order of the steps.
fn find_circle(waiting: &[ValidStep], names: &[String]) -> Vec<String> {
    let mut trail: Vec<String> = Vec::new();
    let mut current = waiting.first();
    while let Some(step) = current {
        if let Some(start) = trail.iter().position(|name| *name == step.name) {
            let mut circle = trail.split_off(start);
            let first = circle.iter().enumerate().min_by_key(|(_, name)| name.as_str()).map(|(at, _)| at);
            circle.rotate_left(first.unwrap_or_default());
            return circle;
        }
        trail.push(step.name.clone());
        let next = dependencies(step, names);
        current = waiting.iter().find(|other| next.contains(&other.name));
    }
    trail
}
