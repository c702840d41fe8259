//! Whether all pods of one step are bound to one node at a time, by whatever binds them: then none of them can be elsewhere before the others
//! have left. Must not guess: where it is not certain, they are not.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::NodeSelectorTerm;

use crate::pipeline::{ValidStep, ValidatedPipeline};
use crate::shared_node::{HOSTNAME, names_pods_of};
use crate::storage::is_of_one_node;

/// What binds the pods of a step to one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bond {
    /// The pipeline's volume.
    Storage,
    /// A claim that the step's pods mount beside it.
    Claim(String),
    /// The name of the node itself, or the wish to be where the step's other pods are.
    Placement,
}

impl Bond {
    /// The node in words.
    pub(crate) fn node(&self) -> String {
        match self {
            Self::Storage => "the one node that mounts the pipeline's volume".to_owned(),
            Self::Claim(name) => format!("the one node that mounts the claim {name}"),
            Self::Placement => "the one node that the step asks for".to_owned(),
        }
    }

    /// How to be on more nodes.
    pub(crate) fn way_out(&self) -> &'static str {
        match self {
            Self::Storage => "take a volume with the access mode ReadWriteMany",
            Self::Claim(_) => "take a claim with the access mode ReadWriteMany",
            Self::Placement => "ask for more than one node",
        }
    }
}

/// What binds the pods of a step to one node; `None` where they can be on several.
pub(crate) fn bond(pipeline: &ValidatedPipeline, step: &ValidStep) -> Option<Bond> {
    if pipeline.keeps_pods_together() {
        return Some(Bond::Storage);
    }
    let claim =
        step.claims().find(|name| pipeline.claims.get(*name).is_some_and(|modes| is_of_one_node(modes)));
    if let Some(name) = claim {
        return Some(Bond::Claim(name.to_owned()));
    }
    let is_named = step.pod.node_selector.contains_key(HOSTNAME) || is_one_by_affinity(step);
    (is_named || is_near_itself(pipeline, step)).then_some(Bond::Placement)
}

/// Whether every term of the required node affinity names one and the same node.
fn is_one_by_affinity(step: &ValidStep) -> bool {
    let affinity = step.pod.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
    let required =
        affinity.and_then(|nodes| nodes.required_during_scheduling_ignored_during_execution.as_ref());
    let Some(required) = required else { return false };
    let nodes: Option<BTreeSet<&String>> = required.node_selector_terms.iter().map(node_of).collect();
    nodes.is_some_and(|nodes| nodes.len() == 1)
}

/// The only node that fits a term, by its label or its name.
fn node_of(term: &NodeSelectorTerm) -> Option<&String> {
    let labels = term.match_expressions.iter().flatten().filter(|wanted| wanted.key == HOSTNAME);
    let fields = term.match_fields.iter().flatten().filter(|wanted| wanted.key == "metadata.name");
    labels.chain(fields).filter(|wanted| wanted.operator == "In").find_map(|wanted| {
        match wanted.values.as_deref() {
            Some([node]) => Some(node),
            _ => None,
        }
    })
}

/// Whether the pods of a step must be on the node of their own kind.
fn is_near_itself(pipeline: &ValidatedPipeline, step: &ValidStep) -> bool {
    let affinity = step.pod.affinity.as_ref().and_then(|affinity| affinity.pod_affinity.as_ref());
    let terms = affinity.and_then(|pods| pods.required_during_scheduling_ignored_during_execution.as_ref());
    let mut terms = terms.into_iter().flatten();
    terms.any(|term| term.topology_key == HOSTNAME && names_pods_of(term, pipeline, step, step))
}
