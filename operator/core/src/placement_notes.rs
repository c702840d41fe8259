//! What a pipeline asks of nodes that its volume may not allow: valid, and stuck on many clusters. Must not refuse anything: the nodes decide,
//! and they are not seen here.

use std::collections::BTreeSet;

use crate::pipeline::{ValidStep, ValidatedPipeline};

/// A sentence for each step that must run beside pods that stay, and asks for another node than they do.
#[must_use]
pub fn placement_notes(pipeline: &ValidatedPipeline) -> Vec<String> {
    if !pipeline.has_volume() || !pipeline.storage.is_of_one_node() {
        return Vec::new();
    }
    let stay: Vec<&ValidStep> = pipeline.steps.iter().filter(|step| step.is_long_running()).collect();
    let notes = pipeline.steps.iter().filter_map(|step| {
        let (other, wish) = stay.iter().find_map(|other| Some((*other, wish_beyond(step, other)?)))?;
        Some(format!(
            "step {} asks for {wish} and step {} does not: one node at a time can mount the pipeline's volume, so while the pods of {} run, \
             those of {} must fit on their node; ask for the same nodes in both (spec.pod.nodeSelector), or take a volume with the \
             access mode ReadWriteMany",
            step.name, other.name, other.name, step.name
        ))
    });
    notes.collect()
}

/// What a step asks of its node that pods which stay do not ask of theirs; nothing where both are tied to nodes in the same way.
fn wish_beyond(step: &ValidStep, stays: &ValidStep) -> Option<String> {
    if step.name == stays.name {
        return None;
    }
    let (selector, their_selector) = (&step.pod.node_selector, &stays.pod.node_selector);
    let label = selector.iter().find(|(key, value)| their_selector.get(*key) != Some(value));
    if let Some((key, value)) = label {
        return Some(format!("nodes with the label {key}={value}"));
    }
    let is_tied = !selector.is_empty();
    let theirs = devices(stays);
    devices(step).into_iter().find(|device| !is_tied && !theirs.contains(device))
}

/// Devices and other resources that only some nodes have: their names have a domain.
fn devices(step: &ValidStep) -> BTreeSet<String> {
    let resources = step.pod.resources.iter();
    let amounts = resources.flat_map(|resources| [&resources.requests, &resources.limits]).flatten();
    amounts.flat_map(|amounts| amounts.keys()).filter(|name| name.contains('/')).cloned().collect()
}
