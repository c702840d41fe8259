//! What steps ask for that pods on one node cannot have: to be apart from each other, or one port of the node twice. Where the pipeline's volume
//! is of one node, all of its pods are there. Must not judge how bad that is: checks and notes do.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::PodAffinityTerm;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use mlpipeline_crds::{AccessMode, Port, Workload};

use crate::pipeline::{ValidStep, ValidatedPipeline};
use crate::pod_labels::{common_labels, step_labels};
use crate::step_kind::Replicas;

/// The label by which every node differs from the others.
pub(crate) const HOSTNAME: &str = "kubernetes.io/hostname";

/// How many pods of a step are there at the same time at least, where all is well: those of a Job can follow each other.
pub(crate) fn pods_at_once(step: &ValidStep) -> i32 {
    match step.workload() {
        Workload::Job | Workload::DaemonSet => 1,
        Workload::Deployment | Workload::StatefulSet => step.action.descriptor().replicas().fewest(),
    }
}

/// Whether a new pod has to be ready beside the old ones before one of these goes. It cannot be where they mount a claim that one pod at a time
/// can mount: then the old one goes first.
pub(crate) fn is_replaced_beside(pipeline: &ValidatedPipeline, step: &ValidStep) -> bool {
    let is_one_at_a_time = matches!(step.action.descriptor().replicas(), Replicas::OneAtATime);
    let is_of_one_pod = |name: &str| {
        pipeline.claims.get(name).is_some_and(|modes| modes.contains(&AccessMode::ReadWriteOncePod))
    };
    step.workload() == Workload::Deployment && !is_one_at_a_time && !step.claims().any(is_of_one_pod)
}

/// The ports of a run step; those of all other steps are the operator's.
pub(crate) fn ports(step: &ValidStep) -> &[Port] {
    step.action.descriptor().container().map_or(&[], |run| &run.ports)
}

/// What a step's pods must be apart from: the terms, each with its place in the list.
pub(crate) fn terms_of_apart(step: &ValidStep) -> impl Iterator<Item = (usize, &PodAffinityTerm)> {
    let affinity = step.pod.affinity.as_ref().and_then(|affinity| affinity.pod_anti_affinity.as_ref());
    let terms = affinity.and_then(|pods| pods.required_during_scheduling_ignored_during_execution.as_ref());
    terms.into_iter().flatten().enumerate()
}

/// Whether a term is certain to name the pods of this step, for pods of the other one. Pods of one step have the same values of all labels
/// while they do the same work.
pub(crate) fn names_pods_of(
    term: &PodAffinityTerm,
    pipeline: &ValidatedPipeline,
    of: &ValidStep,
    asking: &ValidStep,
) -> bool {
    let (same, other) = (&term.match_label_keys, &term.mismatch_label_keys);
    let is_empty = |keys: &Option<Vec<String>>| keys.as_ref().is_none_or(Vec::is_empty);
    let keys_fit = is_empty(other) && (is_empty(same) || of.name == asking.name);
    keys_fit && selects(term.label_selector.as_ref(), pipeline, of)
}

/// Whether a selector is certain to name the pods of a step, by the labels that are known before there are any.
pub(crate) fn selects(
    selector: Option<&LabelSelector>,
    pipeline: &ValidatedPipeline,
    step: &ValidStep,
) -> bool {
    // None names no pod, and an empty one all of them.
    let Some(selector) = selector else { return false };
    let users = step.pod.labels.clone();
    let labels: BTreeMap<String, String> =
        users.into_iter().chain(common_labels(pipeline)).chain(step_labels(step)).collect();
    let equal = selector.match_labels.iter().flatten().all(|(key, value)| labels.get(key) == Some(value));
    let fits = selector.match_expressions.iter().flatten().all(|wanted| {
        let Some(value) = labels.get(&wanted.key) else { return false };
        let is_listed = wanted.values.iter().flatten().any(|listed| listed == value);
        match wanted.operator.as_str() {
            "In" => is_listed,
            "NotIn" => !is_listed,
            "Exists" => true,
            _ => false,
        }
    });
    equal && fits
}
