//! Steps that ask for another node than the one that mounts the pipeline's volume, or that are not let onto it.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{NodeSelector, Toleration};

use super::node_needs::{NodeNeeds, OS, required_nodes};
use crate::pipeline::{ValidStep, ValidatedPipeline};
use crate::quantity::amount;
use crate::shared_node::pods_at_once;

/// A sentence for each step that must run beside pods that stay, and asks for another node than they do.
pub(super) fn notes(pipeline: &ValidatedPipeline) -> Vec<String> {
    if !pipeline.keeps_pods_together() {
        return Vec::new();
    }
    let has_pods = |step: &&ValidStep| !step.is_long_running() || pods_at_once(step) > 0;
    let stay: Vec<&ValidStep> =
        pipeline.steps.iter().filter(|step| step.is_long_running()).filter(has_pods).collect();
    let notes = pipeline.steps.iter().filter(has_pods).filter_map(|step| {
        let Some((other, wish)) = stay.iter().find_map(|other| Some((*other, wish_beyond(step, other)?))) else {
            return stay.iter().find_map(|other| kept_out(step, other));
        };
        Some(format!(
            "step {} asks for {wish} and step {} does not: one node at a time can mount the pipeline's volume, so while the pods of {} run, \
             those of {} must fit on their node; ask for the same nodes in both (spec.pod.nodeSelector or spec.pod.affinity), or take a \
             volume with the access mode ReadWriteMany",
            step.name, other.name, other.name, step.name
        ))
    });
    notes.collect()
}

/// What a step asks of its node that pods which stay do not ask of theirs; nothing where their nodes are certain to fit both.
fn wish_beyond(step: &ValidStep, stays: &ValidStep) -> Option<String> {
    if step.name == stays.name {
        return None;
    }
    let theirs = NodeNeeds::of(stays);
    let label = step.pod.node_selector.iter().find(|(key, value)| !theirs.fit_label(key, value));
    if let Some((key, value)) = label {
        return Some(format!("nodes with the label {key}={value}"));
    }
    let nodes = required_nodes(step);
    if let Some(nodes) = nodes.filter(|nodes| !theirs.fit(nodes)) {
        return Some(described(nodes));
    }
    let is_tied = nodes.is_some() || step.pod.node_selector.keys().any(|key| key != OS);
    let their_devices = devices(stays);
    devices(step).into_iter().find(|device| !is_tied && !their_devices.contains(device))
}

/// What is said of a step that is not let onto the nodes of pods that stay: they ask for nodes of some kind, tolerate a taint there, and the step
/// does not.
fn kept_out(step: &ValidStep, stays: &ValidStep) -> Option<String> {
    let is_tied = required_nodes(stays).is_some()
        || stays.pod.node_selector.keys().any(|key| key != OS)
        || !devices(stays).is_empty();
    if step.name == stays.name || !is_tied {
        return None;
    }
    let keeps_out = |theirs: &&Toleration| {
        let effect = theirs.effect.as_deref().unwrap_or_default();
        effect != "PreferNoSchedule" && !step.pod.tolerations.iter().any(|own| covers(own, theirs))
    };
    let taint = stays.pod.tolerations.iter().find(keeps_out)?;
    let key = taint.key.as_deref().filter(|key| !key.is_empty()).unwrap_or("of any key");
    Some(format!(
        "step {} tolerates the taint {key} and step {} does not: one node at a time can mount the pipeline's volume, so while the pods of {} run, \
         those of {} must fit on their node, and are not let onto one with that taint; give both the same tolerations \
         (spec.pod.tolerations), or take a volume with the access mode ReadWriteMany",
        stays.name, step.name, stays.name, step.name
    ))
}

/// Whether a toleration tolerates all that another one does.
fn covers(own: &Toleration, other: &Toleration) -> bool {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let is_any = own.operator.as_deref() == Some("Exists");
    let key = (is_any && text(&own.key).is_empty()) || text(&own.key) == text(&other.key);
    let is_one = other.operator.as_deref() != Some("Exists");
    let value = is_any || (is_one && text(&own.value) == text(&other.value));
    let effect = text(&own.effect).is_empty() || own.effect == other.effect;
    key && value && effect
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
    let amounts =
        resources.flat_map(|resources| [&resources.requests, &resources.limits]).flatten().flatten();
    let some = amounts.filter(|(name, wanted)| name.contains('/') && amount(wanted) != Some(0.0));
    some.map(|(name, _)| name.clone()).collect()
}
