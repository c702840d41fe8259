//! Nodes that a step asks for and that cannot exist: labels that contradict each other, whatever nodes a cluster has. Must not judge what is
//! possible and is not there.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::NodeSelectorRequirement;
use mlpipeline_crds::MLPipelineSpec;

use super::errors::Errors;
use crate::pipeline::{ValidStep, ValidatedPipeline};
use crate::quoted::quoted;

/// Checks all steps, each with what its pods have of the whole pipeline.
pub(super) fn check_all(spec: &MLPipelineSpec, pipeline: &ValidatedPipeline, errors: &mut Errors) {
    for (index, step) in spec.steps.iter().enumerate() {
        let Some(step) = pipeline.step(&step.name) else { continue };
        let Some(key) = impossible(step) else { continue };
        let by = match step.pod.node_selector.contains_key(key) {
            true => "pod.nodeSelector and pod.affinity.nodeAffinity",
            false => "pod.affinity.nodeAffinity",
        };
        errors.add_with_hint(
            format!("spec.steps[{index}]"),
            format!(
                "asks by {by} for nodes whose label {} cannot be all that is asked of it: its pods would wait forever",
                quoted(key)
            ),
            "remove what contradicts the rest, also where it is of spec.pod",
        );
    }
}

/// The label by which no node can be of the selector and of any required term. Nodes are of one term at least.
fn impossible(step: &ValidStep) -> Option<&str> {
    let affinity = step.pod.affinity.as_ref()?.node_affinity.as_ref()?;
    let required = affinity.required_during_scheduling_ignored_during_execution.as_ref()?;
    let mut first = None;
    for term in &required.node_selector_terms {
        // Terms can be long: each requirement is looked at once.
        let mut by_key: BTreeMap<&str, Vec<&NodeSelectorRequirement>> = BTreeMap::new();
        for requirement in term.match_expressions.iter().flatten() {
            by_key.entry(&requirement.key).or_default().push(requirement);
        }
        let contradiction = by_key.iter().find(|(key, wanted)| {
            let selected = step.pod.node_selector.get(**key).map(String::as_str);
            !is_possible(selected, wanted)
        });
        let contradiction = contradiction.map(|(key, _)| *key);
        first = first.or(contradiction);
        contradiction?;
    }
    first
}

/// Whether one label can be as the selector and all requirements want it. What compares numbers is taken to be possible.
fn is_possible(selected: Option<&str>, wanted: &[&NodeSelectorRequirement]) -> bool {
    // `None` while any value would do.
    let mut values: Option<BTreeSet<&str>> = selected.map(|value| [value].into());
    let (mut must_be, mut must_not_be) = (selected.is_some(), false);
    let mut excluded: BTreeSet<&str> = BTreeSet::new();
    for requirement in wanted {
        let listed = requirement.values.iter().flatten().map(String::as_str);
        match requirement.operator.as_str() {
            "In" => {
                must_be = true;
                let listed: BTreeSet<&str> = listed.collect();
                values = Some(values.map_or(listed.clone(), |values| &values & &listed));
            }
            "NotIn" => excluded.extend(listed),
            "DoesNotExist" => must_not_be = true,
            "Exists" | "Gt" | "Lt" => must_be = true,
            _ => {}
        }
    }
    let has_value = values.is_none_or(|values| values.iter().any(|value| !excluded.contains(value)));
    !must_be || (has_value && !must_not_be)
}
