//! The metadata of the pipeline itself: what the API server takes of any object. It rejects the rest before the operator sees it, and this says
//! so before it is applied.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::dns::{is_dns_label, is_dns_name, is_qualified_name};
use super::errors::Errors;
use super::labels::{check_annotations_of_pipeline, check_labels};
use crate::quoted::quoted;

/// Checks names, labels, annotations and finalizers.
pub(super) fn check(metadata: &ObjectMeta, errors: &mut Errors) {
    let name = metadata.name.as_deref().unwrap_or_default();
    errors.require(!name.is_empty(), "metadata.name", "is missing: name the pipeline");
    errors.require(
        is_dns_name(name) || name.is_empty(),
        "metadata.name",
        format!(
            "{} is not a valid name: lower-case letters, digits, - and . are allowed, 253 at most",
            quoted(name)
        ),
    );
    let namespace = metadata.namespace.as_deref().unwrap_or_default();
    errors.require(
        namespace.is_empty() || (is_dns_label(namespace) && namespace.len() <= 63),
        "metadata.namespace",
        format!(
            "{} is not a valid namespace: lower-case letters, digits and - are allowed, 63 at most",
            quoted(namespace)
        ),
    );
    if let Some(labels) = &metadata.labels {
        check_labels(labels, "metadata.labels", errors);
    }
    if let Some(annotations) = &metadata.annotations {
        check_annotations_of_pipeline(annotations, "metadata.annotations", errors);
    }
    for (index, finalizer) in metadata.finalizers.iter().flatten().enumerate() {
        errors.require(
            is_qualified_name(finalizer),
            format!("metadata.finalizers[{index}]"),
            format!("{} is not a valid finalizer, which is PREFIX/NAME", quoted(finalizer)),
        );
    }
}
