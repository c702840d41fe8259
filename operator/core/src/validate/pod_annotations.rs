//! Annotations of pods that Kubernetes gives a meaning to: it rejects pods whose values it cannot read. Must not judge those of others.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Toleration;

use super::errors::Errors;
use super::placement::check_toleration;
use crate::quoted::quoted;

/// Which pods of a Deployment go first when it shrinks.
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";
/// What a kubelet marks the copies of its own pods with.
const MIRROR: &str = "kubernetes.io/config.mirror";
/// The tolerations of pods, from before they had a field.
const TOLERATIONS: &str = "scheduler.alpha.kubernetes.io/tolerations";

/// Checks the annotations of a pipeline's or a step's pods.
pub(super) fn check(annotations: &BTreeMap<String, String>, path: &str, errors: &mut Errors) {
    if let Some(cost) = annotations.get(DELETION_COST).filter(|cost| !is_deletion_cost(cost)) {
        errors.add_with_hint(
            path,
            format!("{} is {}, which Kubernetes rejects", quoted(DELETION_COST), quoted(cost)),
            "write a whole number of 32 bits without + and without zeros first, such as -5 or 100",
        );
    }
    if annotations.contains_key(MIRROR) {
        errors.add_with_hint(
            path,
            format!(
                "{} is for the pods that a kubelet makes itself, and Kubernetes rejects it here",
                quoted(MIRROR)
            ),
            "leave it out",
        );
    }
    let tolerations = annotations.get(TOLERATIONS).filter(|tolerations| !are_tolerations(tolerations));
    if let Some(tolerations) = tolerations {
        errors.add_with_hint(
            path,
            format!(
                "{} is {}, which is not a valid list of tolerations",
                quoted(TOLERATIONS),
                quoted(tolerations)
            ),
            "write them in pod.tolerations: this annotation does nothing",
        );
    }
}

fn is_deletion_cost(cost: &str) -> bool {
    let has_zeros = cost.starts_with('0') && cost != "0";
    !has_zeros && !cost.starts_with('+') && cost.parse::<i32>().is_ok()
}

fn are_tolerations(text: &str) -> bool {
    if text.is_empty() {
        return true;
    }
    let Ok(tolerations) = serde_json::from_str::<Option<Vec<Toleration>>>(text) else { return false };
    let mut errors = Errors::default();
    for toleration in tolerations.iter().flatten() {
        check_toleration(toleration, "", &mut errors);
    }
    errors.into_result().is_ok()
}
