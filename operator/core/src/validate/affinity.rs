//! Affinities to pods, as users set them: what Kubernetes takes, and nothing of other namespaces. Must not judge whether any node fits.

use k8s_openapi::api::core::v1::{Affinity, PodAffinityTerm, WeightedPodAffinityTerm};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde_json::Value;

use super::dns::is_label_value;
use super::errors::Errors;
use super::labels::{check_key, check_labels};
use super::node_affinity::{self, check_operator};
use crate::quoted::quoted;

/// The field of what must hold where a pod is scheduled.
const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
/// Operators of a selector of pods.
const OPERATORS: [&str; 4] = ["In", "NotIn", "Exists", "DoesNotExist"];

/// Checks an affinity.
pub(super) fn check(affinity: Option<&Affinity>, path: &str, errors: &mut Errors) {
    let Some(affinity) = affinity else { return };
    errors.require(
        !names_namespaces(&serde_json::to_value(affinity).unwrap_or_default()),
        path,
        "names other namespaces: leave out namespaces and namespaceSelector",
    );
    if let Some(nodes) = &affinity.node_affinity {
        node_affinity::check(nodes, &format!("{path}.nodeAffinity"), errors);
    }
    if let Some(pods) = &affinity.pod_affinity {
        let required = pods.required_during_scheduling_ignored_during_execution.as_deref();
        let preferred = pods.preferred_during_scheduling_ignored_during_execution.as_deref();
        for (index, term) in required.unwrap_or_default().iter().enumerate() {
            errors.require(
                term.label_selector.is_some(),
                format!("{path}.podAffinity.{REQUIRED}[{index}].labelSelector"),
                "is missing, and without one a term names no pod, so that no node is ever near enough: name pods, or write {} for all",
            );
        }
        check_pods(required, preferred, &format!("{path}.podAffinity"), errors);
    }
    if let Some(pods) = &affinity.pod_anti_affinity {
        let required = pods.required_during_scheduling_ignored_during_execution.as_deref();
        let preferred = pods.preferred_during_scheduling_ignored_during_execution.as_deref();
        check_pods(required, preferred, &format!("{path}.podAntiAffinity"), errors);
    }
}

fn check_pods(
    required: Option<&[PodAffinityTerm]>,
    preferred: Option<&[WeightedPodAffinityTerm]>,
    path: &str,
    errors: &mut Errors,
) {
    for (index, term) in required.unwrap_or_default().iter().enumerate() {
        check_pod_term(term, &format!("{path}.{REQUIRED}[{index}]"), errors);
    }
    for (index, preferred) in preferred.unwrap_or_default().iter().enumerate() {
        let path = format!("{path}.preferredDuringSchedulingIgnoredDuringExecution[{index}]");
        errors.require_between(Some(preferred.weight), (1, 100), format!("{path}.weight"));
        check_pod_term(&preferred.pod_affinity_term, &format!("{path}.podAffinityTerm"), errors);
    }
}

fn check_pod_term(term: &PodAffinityTerm, path: &str, errors: &mut Errors) {
    check_key(&term.topology_key, &format!("{path}.topologyKey"), errors);
    check_selector(term.label_selector.as_ref(), &format!("{path}.labelSelector"), errors);
    let match_keys = term.match_label_keys.as_deref().unwrap_or_default();
    let mismatch_keys = term.mismatch_label_keys.as_deref().unwrap_or_default();
    check_label_keys(match_keys, term.label_selector.as_ref(), &format!("{path}.matchLabelKeys"), errors);
    check_label_keys(
        mismatch_keys,
        term.label_selector.as_ref(),
        &format!("{path}.mismatchLabelKeys"),
        errors,
    );
    if let Some(both) = match_keys.iter().find(|key| mismatch_keys.contains(key)) {
        let problem = format!("{} is one of matchLabelKeys too: keep it in one of them", quoted(both));
        errors.add(format!("{path}.mismatchLabelKeys"), problem);
    }
}

/// Checks keys of labels whose values are the pod's own.
pub(super) fn check_label_keys(
    keys: &[String],
    selector: Option<&LabelSelector>,
    path: &str,
    errors: &mut Errors,
) {
    errors.require(
        keys.is_empty() || selector.is_some(),
        path,
        "goes with labelSelector, which says which pods are counted",
    );
    for (index, key) in keys.iter().enumerate() {
        check_key(key, &format!("{path}[{index}]"), errors);
        let expressions = selector.and_then(|selector| selector.match_expressions.as_ref());
        let in_labels = selector.and_then(|selector| selector.match_labels.as_ref()?.get(key)).is_some();
        let is_there = in_labels || expressions.is_some_and(|all| all.iter().any(|found| found.key == *key));
        errors.require(
            !is_there,
            format!("{path}[{index}]"),
            format!("{} is in labelSelector too: keep it in one of them", quoted(key)),
        );
    }
}

/// Checks a selector of pods.
pub(super) fn check_selector(selector: Option<&LabelSelector>, path: &str, errors: &mut Errors) {
    let Some(selector) = selector else { return };
    if let Some(labels) = &selector.match_labels {
        check_labels(labels, &format!("{path}.matchLabels"), errors);
    }
    for (index, requirement) in selector.match_expressions.iter().flatten().enumerate() {
        let path = format!("{path}.matchExpressions[{index}]");
        check_key(&requirement.key, &format!("{path}.key"), errors);
        let values = requirement.values.as_deref().unwrap_or_default();
        check_operator(&requirement.operator, values.len(), &OPERATORS, &path, errors);
        for (place, value) in values.iter().enumerate() {
            errors.require(
                is_label_value(value),
                format!("{path}.values[{place}]"),
                format!("{} is not a value that a label can have", quoted(value)),
            );
        }
    }
}

/// Whether a term of an affinity reaches into other namespaces.
fn names_namespaces(affinity: &Value) -> bool {
    match affinity {
        Value::Object(fields) => {
            let is_term = fields.contains_key("topologyKey");
            is_term && (fields.contains_key("namespaces") || fields.contains_key("namespaceSelector"))
                || fields.values().any(names_namespaces)
        }
        Value::Array(items) => items.iter().any(names_namespaces),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kubernetes_would_refuse_is_named_by_its_path() {
        let rows = [
            (
                r#"{"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}"#,
                "nodeSelectorTerms",
            ),
            (
                r#"{"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 0, "preference": {}}]}}"#,
                "[0].weight",
            ),
            (
                r#"{"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                    {"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["x"]}]}]}}}"#,
                "matchExpressions[0].values",
            ),
            (
                r#"{"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": ""}]}}"#,
                "[0].topologyKey",
            ),
            (
                r#"{"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "a",
                    "labelSelector": {"matchExpressions": [{"key": "b", "operator": "in", "values": ["c"]}]}}]}}"#,
                "matchExpressions[0].operator",
            ),
            (
                r#"{"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "a", "matchLabelKeys": ["b"]}]}}"#,
                "matchLabelKeys",
            ),
            (
                r#"{"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "a"}]}}"#,
                "[0].labelSelector",
            ),
        ];
        for (json, expected) in rows {
            let mut errors = Errors::default();
            check(Some(&serde_json::from_str(json).expect("an affinity")), "affinity", &mut errors);
            let found = errors.into_result().expect_err(json);
            assert!(found.len() == 1 && found[0].path.ends_with(expected), "{json}: {found:?}");
        }
        let mut errors = Errors::default();
        let fine = r#"{"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "gpu", "operator": "Exists"}, {"key": "cores", "operator": "Gt", "values": ["8"]}],
             "matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node-1"]}]}]}}}"#;
        check(Some(&serde_json::from_str(fine).expect("an affinity")), "affinity", &mut errors);
        assert!(errors.into_result().is_ok());
    }
}
