//! Where pods may run, as users set it: what Kubernetes takes.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Toleration, TopologySpreadConstraint};
use mlpipeline_crds::PodSettings;

use super::affinity::{self, check_label_keys, check_selector};
use super::dns::is_label_value;
use super::errors::Errors;
use super::labels::{check_key, check_labels};
use crate::quoted::quoted;

/// Checks what the pod settings of a pipeline or of a step say about nodes.
pub(super) fn check(pod: &PodSettings, path: &str, errors: &mut Errors) {
    check_labels(&pod.node_selector, &format!("{path}.nodeSelector"), errors);
    for (index, toleration) in pod.tolerations.iter().enumerate() {
        check_toleration(toleration, &format!("{path}.tolerations[{index}]"), errors);
    }
    affinity::check(pod.affinity.as_ref(), &format!("{path}.affinity"), errors);
    let mut earlier = BTreeSet::new();
    for (index, constraint) in pod.topology_spread_constraints.iter().enumerate() {
        let path = format!("{path}.topologySpreadConstraints[{index}]");
        check_spread(constraint, &path, errors);
        errors.require(
            earlier.insert(spread_key(constraint)),
            path,
            format!(
                "has the topologyKey {} and the whenUnsatisfiable {} of an earlier constraint: keep one of the two",
                quoted(&constraint.topology_key),
                quoted(&constraint.when_unsatisfiable)
            ),
        );
    }
}

/// What tells two constraints apart: Kubernetes takes one of each.
pub(super) fn spread_key(constraint: &TopologySpreadConstraint) -> (String, String) {
    (constraint.topology_key.clone(), constraint.when_unsatisfiable.clone())
}

/// Checks one toleration.
pub(super) fn check_toleration(toleration: &Toleration, path: &str, errors: &mut Errors) {
    let key = toleration.key.as_deref().unwrap_or_default();
    let value = toleration.value.as_deref().unwrap_or_default();
    let effect = toleration.effect.as_deref().unwrap_or_default();
    let operator = toleration.operator.as_deref().unwrap_or_default();
    if !key.is_empty() {
        check_key(key, &format!("{path}.key"), errors);
    }
    match operator {
        "Exists" => errors.require(
            value.is_empty(),
            format!("{path}.value"),
            "goes with operator Equal, and Exists tolerates every value: remove one of the two",
        ),
        "" | "Equal" => {
            errors.require(
                is_label_value(value),
                format!("{path}.value"),
                format!("{} is not a value that a taint can have", quoted(value)),
            );
            errors.require(
                !key.is_empty(),
                format!("{path}.key"),
                "is missing: name the taint's key, or set operator to Exists for every taint",
            );
        }
        other => errors.add(
            format!("{path}.operator"),
            format!("{} is not an operator; there are Equal and Exists", quoted(other)),
        ),
    }
    errors.require(
        ["", "NoSchedule", "PreferNoSchedule", "NoExecute"].contains(&effect),
        format!("{path}.effect"),
        format!(
            "{} is not an effect; there are NoSchedule, PreferNoSchedule and NoExecute, and without one all are tolerated",
            quoted(effect)
        ),
    );
    errors.require(
        toleration.toleration_seconds.is_none() || effect == "NoExecute",
        format!("{path}.tolerationSeconds"),
        "goes with effect NoExecute: set it, or leave tolerationSeconds out",
    );
}

fn check_spread(constraint: &TopologySpreadConstraint, path: &str, errors: &mut Errors) {
    errors.require_between(Some(constraint.max_skew), (1, i32::MAX), format!("{path}.maxSkew"));
    check_key(&constraint.topology_key, &format!("{path}.topologyKey"), errors);
    let when = constraint.when_unsatisfiable.as_str();
    errors.require(
        ["DoNotSchedule", "ScheduleAnyway"].contains(&when),
        format!("{path}.whenUnsatisfiable"),
        format!("{} is not known; there are DoNotSchedule and ScheduleAnyway", quoted(when)),
    );
    errors.require_between(constraint.min_domains, (1, i32::MAX), format!("{path}.minDomains"));
    errors.require(
        constraint.min_domains.is_none() || when == "DoNotSchedule",
        format!("{path}.minDomains"),
        "goes with whenUnsatisfiable DoNotSchedule",
    );
    let policies = [
        ("nodeAffinityPolicy", &constraint.node_affinity_policy),
        ("nodeTaintsPolicy", &constraint.node_taints_policy),
    ];
    for (field, policy) in policies {
        if let Some(policy) = policy.as_deref().filter(|policy| !["Honor", "Ignore"].contains(policy)) {
            let problem = format!("{} is not known; there are Honor and Ignore", quoted(policy));
            errors.add(format!("{path}.{field}"), problem);
        }
    }
    check_selector(constraint.label_selector.as_ref(), &format!("{path}.labelSelector"), errors);
    let keys = constraint.match_label_keys.as_deref().unwrap_or_default();
    check_label_keys(keys, constraint.label_selector.as_ref(), &format!("{path}.matchLabelKeys"), errors);
}
