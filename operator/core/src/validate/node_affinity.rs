//! Affinities to nodes, as users set them: what Kubernetes takes, and terms that can choose a node at all. Must not judge whether any does.

use k8s_openapi::api::core::v1::{NodeAffinity, NodeSelectorRequirement, NodeSelectorTerm};

use super::dns::{check_name_of, is_label_value};
use super::errors::Errors;
use super::labels::check_key;
use crate::quoted::quoted;

/// Operators of a node's labels.
const OPERATORS: [&str; 6] = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"];

/// Checks an affinity to nodes.
pub(super) fn check(nodes: &NodeAffinity, path: &str, errors: &mut Errors) {
    if let Some(required) = &nodes.required_during_scheduling_ignored_during_execution {
        let path = format!("{path}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms");
        errors.require(
            !required.node_selector_terms.is_empty(),
            path.as_str(),
            "is empty: name the nodes by at least one term, or leave the field out",
        );
        errors.require(
            required.node_selector_terms.is_empty() || !required.node_selector_terms.iter().all(is_empty),
            path.as_str(),
            "has only empty terms, and an empty term chooses no node: name the nodes by matchExpressions or matchFields, or leave the field out",
        );
        for (index, term) in required.node_selector_terms.iter().enumerate() {
            check_term(term, &format!("{path}[{index}]"), errors);
        }
    }
    let preferred = nodes.preferred_during_scheduling_ignored_during_execution.iter().flatten();
    for (index, preferred) in preferred.enumerate() {
        let path = format!("{path}.preferredDuringSchedulingIgnoredDuringExecution[{index}]");
        errors.require_between(Some(preferred.weight), (1, 100), format!("{path}.weight"));
        check_term(&preferred.preference, &format!("{path}.preference"), errors);
    }
}

fn is_empty(term: &NodeSelectorTerm) -> bool {
    term.match_expressions.iter().flatten().next().is_none()
        && term.match_fields.iter().flatten().next().is_none()
}

fn check_term(term: &NodeSelectorTerm, path: &str, errors: &mut Errors) {
    for (index, requirement) in term.match_expressions.iter().flatten().enumerate() {
        let path = format!("{path}.matchExpressions[{index}]");
        check_key(&requirement.key, &format!("{path}.key"), errors);
        check_requirement(requirement, &path, errors);
        for (place, value) in requirement.values.iter().flatten().enumerate() {
            errors.require(
                is_label_value(value),
                format!("{path}.values[{place}]"),
                format!("{} is not a value that a label can have", quoted(value)),
            );
        }
    }
    for (index, requirement) in term.match_fields.iter().flatten().enumerate() {
        let path = format!("{path}.matchFields[{index}]");
        errors.require(
            requirement.key == "metadata.name",
            format!("{path}.key"),
            format!(
                "{} is not a field that nodes are chosen by; there is metadata.name",
                quoted(&requirement.key)
            ),
        );
        for (place, name) in requirement.values.iter().flatten().enumerate() {
            check_name_of("Node", Some(name), format!("{path}.values[{place}]"), errors);
        }
        let names = requirement.values.iter().flatten().count();
        errors.require(
            ["In", "NotIn"].contains(&requirement.operator.as_str()) && names == 1,
            path,
            "takes the operator In or NotIn with one value, the node's name",
        );
    }
}

fn check_requirement(requirement: &NodeSelectorRequirement, path: &str, errors: &mut Errors) {
    let values = requirement.values.as_deref().unwrap_or_default();
    check_operator(&requirement.operator, values.len(), &OPERATORS, path, errors);
    if ["Gt", "Lt"].contains(&requirement.operator.as_str()) {
        let is_number = matches!(values, [value] if value.parse::<i64>().is_ok());
        errors.require(is_number, format!("{path}.values"), "goes with Gt and Lt as one whole number");
    }
}

/// Checks an operator, and that it has values where it compares with some.
pub(super) fn check_operator(operator: &str, values: usize, known: &[&str], path: &str, errors: &mut Errors) {
    if !known.contains(&operator) {
        let problem = format!("{} is not an operator; there are {}", quoted(operator), known.join(", "));
        return errors.add(format!("{path}.operator"), problem);
    }
    match operator {
        "In" | "NotIn" => {
            errors.require(
                values > 0,
                format!("{path}.values"),
                "is empty: In and NotIn compare with at least one value",
            );
        }
        "Exists" | "DoesNotExist" => {
            errors.require(values == 0, format!("{path}.values"), "goes with In and NotIn: leave it out");
        }
        _ => {}
    }
}
