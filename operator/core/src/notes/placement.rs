//! Steps that ask for another node than the one that mounts the pipeline's volume.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::NodeSelector;

use crate::pipeline::{ValidStep, ValidatedPipeline};

/// A sentence for each step that must run beside pods that stay, and asks for another node than they do.
pub(super) fn notes(pipeline: &ValidatedPipeline) -> Vec<String> {
    if !pipeline.keeps_pods_together() {
        return Vec::new();
    }
    let stay: Vec<&ValidStep> = pipeline.steps.iter().filter(|step| step.is_long_running()).collect();
    let notes = pipeline.steps.iter().filter_map(|step| {
        let (other, wish) = stay.iter().find_map(|other| Some((*other, wish_beyond(step, other)?)))?;
        Some(format!(
            "step {} asks for {wish} and step {} does not: one node at a time can mount the pipeline's volume, so while the pods of {} run, \
             those of {} must fit on their node; ask for the same nodes in both (spec.pod.nodeSelector or spec.pod.affinity), or take a \
             volume with the access mode ReadWriteMany",
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
    let (nodes, their_nodes) = (required_nodes(step), required_nodes(stays));
    if let Some(nodes) = nodes.filter(|nodes| Some(*nodes) != their_nodes) {
        return Some(described(nodes));
    }
    let is_tied = !selector.is_empty() || nodes.is_some();
    let theirs = devices(stays);
    devices(step).into_iter().find(|device| !is_tied && !theirs.contains(device))
}

/// The nodes that a step's affinity asks for.
fn required_nodes(step: &ValidStep) -> Option<&NodeSelector> {
    let nodes = step.pod.affinity.as_ref()?.node_affinity.as_ref()?;
    nodes.required_during_scheduling_ignored_during_execution.as_ref()
}

/// Nodes in words: by the first of what an affinity asks for.
fn described(nodes: &NodeSelector) -> String {
    let terms = || nodes.node_selector_terms.iter();
    let labels = terms().flat_map(|term| term.match_expressions.iter().flatten());
    let fields = terms().flat_map(|term| term.match_fields.iter().flatten());
    let first = labels.chain(fields).next().map(|wanted| {
        let values = wanted.values.as_deref().unwrap_or_default().join(", ");
        format!(" ({} {} {values}", wanted.key, wanted.operator).trim_end().to_owned() + ")"
    });
    format!("the nodes of its nodeAffinity{}", first.unwrap_or_default())
}

/// Devices and other resources that only some nodes have: their names have a domain.
fn devices(step: &ValidStep) -> BTreeSet<String> {
    let resources = step.pod.resources.iter();
    let amounts = resources.flat_map(|resources| [&resources.requests, &resources.limits]).flatten();
    amounts.flat_map(|amounts| amounts.keys()).filter(|name| name.contains('/')).cloned().collect()
}
