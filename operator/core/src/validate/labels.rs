//! Labels and annotations that users set: that Kubernetes takes them, and that they are not those of somebody else.

use std::collections::BTreeMap;

use mlpipeline_crds::PodSettings;

use super::dns::{is_label_value, is_qualified_name};
use super::errors::Errors;
use crate::labels::annotation;
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

/// How many bytes of an object's annotations are kept for annotations of the operator's own and of Kubernetes' controllers.
const KEPT_OF_ANNOTATIONS: usize = 1024;

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

/// Checks annotations, whose values are free.
pub(super) fn check_annotations(annotations: &BTreeMap<String, String>, path: &str, errors: &mut Errors) {
    check_reserved(annotations, path, errors);
    check_annotation_keys(annotations, path, errors);
    check_size(annotations, annotation::MOST_BYTES - KEPT_OF_ANNOTATIONS, path, errors);
}

/// Checks the annotations of the pipeline itself, which anybody may set.
pub(super) fn check_annotations_of_pipeline(
    annotations: &BTreeMap<String, String>,
    path: &str,
    errors: &mut Errors,
) {
    check_annotation_keys(annotations, path, errors);
    check_size(annotations, annotation::MOST_BYTES, path, errors);
}

/// Checks that the annotations of a pipeline's pods and those of its step are not too many together, where neither are by themselves.
pub(super) fn check_merged_annotations(
    merged: &PodSettings,
    of_pipeline: Option<&PodSettings>,
    own: Option<&PodSettings>,
    path: &str,
    errors: &mut Errors,
) {
    let most = annotation::MOST_BYTES - KEPT_OF_ANNOTATIONS;
    let fits = |pod: Option<&PodSettings>| pod.is_none_or(|pod| size(&pod.annotations) <= most);
    if own.is_some_and(|pod| !pod.annotations.is_empty()) && fits(of_pipeline) && fits(own) {
        check_size(&merged.annotations, most, path, errors);
    }
}

/// Checks keys of annotations, which may have capitals in the prefix.
fn check_annotation_keys(annotations: &BTreeMap<String, String>, path: &str, errors: &mut Errors) {
    for key in annotations.keys() {
        if !is_qualified_name(&key.to_lowercase()) {
            errors.add_with_hint(path, format!("{} is not a valid key", quoted(key)), KEY_FORM);
        }
    }
}

fn size(annotations: &BTreeMap<String, String>) -> usize {
    annotations.iter().map(|(key, value)| key.len() + value.len()).sum()
}

fn check_size(annotations: &BTreeMap<String, String>, most: usize, path: &str, errors: &mut Errors) {
    let size = size(annotations);
    if size > most {
        errors.add_with_hint(
            path,
            format!("has {size} bytes of keys and values; {most} are allowed"),
            "put large texts into a ConfigMap, and mount it",
        );
    }
}

/// Checks the key of a label, a taint or a topology.
pub(super) fn check_key(key: &str, path: &str, errors: &mut Errors) {
    if !is_qualified_name(key) {
        errors.add_with_hint(path, format!("{} is not a valid key", quoted(key)), KEY_FORM);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Annotations of so many bytes together.
    fn annotations(bytes: usize) -> BTreeMap<String, String> {
        BTreeMap::from([(
            "a".to_owned(),
            "é".repeat((bytes - 1) / 2) + if bytes.is_multiple_of(2) { "x" } else { "" },
        )])
    }

    fn problems(check: impl Fn(&mut Errors)) -> usize {
        let mut errors = Errors::default();
        check(&mut errors);
        errors.into_result().err().unwrap_or_default().len()
    }

    #[test]
    fn annotations_are_counted_in_bytes_and_those_of_the_operator_have_their_place() {
        let most = annotation::MOST_BYTES - KEPT_OF_ANNOTATIONS;
        for (bytes, on_children, on_pipeline) in [
            (most, 0, 0),
            (most + 1, 1, 0),
            (annotation::MOST_BYTES, 1, 0),
            (annotation::MOST_BYTES + 1, 1, 1),
        ] {
            let found = annotations(bytes);
            assert_eq!(size(&found), bytes);
            assert_eq!(problems(|errors| check_annotations(&found, "p", errors)), on_children, "{bytes}");
            assert_eq!(
                problems(|errors| check_annotations_of_pipeline(&found, "p", errors)),
                on_pipeline,
                "{bytes}"
            );
        }
    }

    #[test]
    fn annotations_of_both_levels_are_counted_together_once() {
        let pod = |bytes, key: &str| PodSettings {
            annotations: BTreeMap::from([(key.to_owned(), "x".repeat(bytes))]),
            ..PodSettings::default()
        };
        let merged = |a: &PodSettings, b: &PodSettings| PodSettings {
            annotations: a.annotations.clone().into_iter().chain(b.annotations.clone()).collect(),
            ..PodSettings::default()
        };
        let most = annotation::MOST_BYTES - KEPT_OF_ANNOTATIONS;
        // The third replaces the pipeline's, and the fourth has its error already.
        for (pipeline, own, key, expected) in [
            (most / 2, most / 2 - 8, "b", 0),
            (most / 2, most / 2, "b", 1),
            (most / 2, most - 8, "a", 0),
            (most, 9, "b", 0),
        ] {
            let (pipeline, own) = (pod(pipeline, "a"), pod(own, key));
            let merged = merged(&pipeline, &own);
            let check = |errors: &mut Errors| {
                check_merged_annotations(&merged, Some(&pipeline), Some(&own), "p", errors);
            };
            assert_eq!(problems(check), expected, "{key}");
        }
    }
}
