//! Labels and annotations that users set: that Kubernetes takes them, and that they are not those of somebody else.

use std::collections::BTreeMap;

use mlpipeline_crds::PodSettings;

use super::dns::{is_label_value, is_qualified_name};
use super::errors::Errors;
use crate::quoted::quoted;

/// Prefixes of labels and annotations that are ours or a GitOps tool's: a pod with such a label of the user's making would be
/// taken for somebody else's.
const RESERVED_PREFIXES: [&str; 7] = [
    "mlpipeline.dev/",
    "app.kubernetes.io/",
    "argocd.argoproj.io/",
    "kustomize.toolkit.fluxcd.io/",
    "helm.toolkit.fluxcd.io/",
    "meta.helm.sh/",
    "batch.kubernetes.io/",
];

/// Annotations that loosen what confines a pod. Some Kubernetes still read them, and Pod Security's `restricted` forbids them.
const LOOSENING_PREFIXES: [&str; 3] = [
    "container.apparmor.security.beta.kubernetes.io/",
    "container.seccomp.security.alpha.kubernetes.io/",
    "seccomp.security.alpha.kubernetes.io/",
];

/// Labels by which a Job finds its pods. The API server rejects a Job that sets them itself.
const LABELS_OF_JOBS: [&str; 2] = ["controller-uid", "job-name"];

const KEY_FORM: &str = "a key is PREFIX/NAME or NAME: the prefix is a DNS name, the name 1 to 63 letters, digits, -, _ and ., with a letter or digit first and last";

/// Checks the labels and annotations of pods.
pub(super) fn check_of_pods(pod: &PodSettings, path: &str, errors: &mut Errors) {
    check_reserved(&pod.labels, &format!("{path}.labels"), errors);
    check_labels(&pod.labels, &format!("{path}.labels"), errors);
    check_annotations(&pod.annotations, &format!("{path}.annotations"), errors);
    for key in pod.annotations.keys() {
        if LOOSENING_PREFIXES.iter().any(|prefix| key.starts_with(prefix)) {
            errors.add_with_hint(
                format!("{path}.annotations"),
                format!("{} would change what confines the pods", quoted(key)),
                "leave it out: pods have the profiles of the runtime",
            );
        }
    }
}

/// Checks that the pods of a step that runs to completion leave its Job the labels that it finds them by.
pub(super) fn check_of_job(
    merged: &PodSettings,
    own: Option<&PodSettings>,
    path: &str,
    step: &str,
    errors: &mut Errors,
) {
    for key in LABELS_OF_JOBS.into_iter().filter(|key| merged.labels.contains_key(*key)) {
        let is_own = own.is_some_and(|pod| pod.labels.contains_key(key));
        let path = if is_own { format!("{path}.labels") } else { "spec.pod.labels".to_owned() };
        let problem =
            format!("{} is what the Job of the step {} finds its pods by", quoted(key), quoted(step));
        errors.add_with_hint(path, problem, "use another key");
    }
}

fn check_reserved(map: &BTreeMap<String, String>, path: &str, errors: &mut Errors) {
    for key in map.keys() {
        if let Some(prefix) = RESERVED_PREFIXES.iter().find(|prefix| key.starts_with(**prefix)) {
            errors.add_with_hint(
                path,
                format!(
                    "{} is reserved: keys under {prefix} belong to the tools that manage the objects",
                    quoted(key)
                ),
                "take another prefix",
            );
        }
    }
}

/// Checks labels, or the labels that a selector asks for.
pub(super) fn check_labels(labels: &BTreeMap<String, String>, path: &str, errors: &mut Errors) {
    for (key, value) in labels {
        check_key(key, path, errors);
        if !is_label_value(value) {
            errors.add_with_hint(
                path,
                format!("{} has the value {}, which no label can have", quoted(key), quoted(value)),
                "up to 63 letters, digits, -, _ and . are allowed, with a letter or digit first and last",
            );
        }
    }
}

/// Checks annotations, whose keys may have capitals in the prefix, and whose values are free.
pub(super) fn check_annotations(annotations: &BTreeMap<String, String>, path: &str, errors: &mut Errors) {
    check_reserved(annotations, path, errors);
    for key in annotations.keys() {
        if !is_qualified_name(&key.to_lowercase()) {
            errors.add_with_hint(path, format!("{} is not a valid key", quoted(key)), KEY_FORM);
        }
    }
}

/// Checks the key of a label, a taint or a topology.
pub(super) fn check_key(key: &str, path: &str, errors: &mut Errors) {
    if !is_qualified_name(key) {
        errors.add_with_hint(path, format!("{} is not a valid key", quoted(key)), KEY_FORM);
    }
}
