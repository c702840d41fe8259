//! Where the value of one environment variable comes from: a Secret, a ConfigMap, a field of the pod, or what its container may use.

use k8s_openapi::api::core::v1::{EnvVarSource, ObjectFieldSelector, ResourceFieldSelector};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::dns::{check_entry_key, check_name_of};
use super::errors::Errors;
use super::huge_pages;
use super::labels::check_key;
use crate::children::CONTAINER;
use crate::quantity::{amount, is_one_of_a_unit, is_one_thousandth};
use crate::quoted::quoted;

/// The fields of a pod that a variable can hold, beside single labels and annotations.
const POD_FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// The only version that pods have.
const POD_VERSION: &str = "v1";

/// Checks the source of a variable's value.
pub(super) fn check(source: &EnvVarSource, path: &str, errors: &mut Errors) {
    let present = [
        source.config_map_key_ref.is_some(),
        source.secret_key_ref.is_some(),
        source.field_ref.is_some(),
        source.resource_field_ref.is_some(),
    ];
    errors.require(
        present.into_iter().filter(|present| *present).count() == 1,
        path,
        "is exactly one of configMapKeyRef, secretKeyRef, fieldRef and resourceFieldRef",
    );
    // What is optional may be missing forever, and Kubernetes rejects a name that no object can have all the same.
    let map = source.config_map_key_ref.as_ref();
    let map = map.map(|of| ("ConfigMap", "configMapKeyRef", &of.name, &of.key));
    let secret = source.secret_key_ref.as_ref();
    let secret = secret.map(|of| ("Secret", "secretKeyRef", &of.name, &of.key));
    for (kind, field, name, key) in map.into_iter().chain(secret) {
        check_name_of(kind, Some(name), format!("{path}.{field}.name"), errors);
        check_entry_key(key, format!("{path}.{field}.key"), errors);
    }
    if let Some(field) = &source.field_ref {
        check_field(field, &format!("{path}.fieldRef"), errors);
    }
    if let Some(field) = &source.resource_field_ref {
        check_resource_field(field, &format!("{path}.resourceFieldRef"), errors);
    }
}

fn check_field(field: &ObjectFieldSelector, path: &str, errors: &mut Errors) {
    let version = field.api_version.as_deref().unwrap_or_default();
    errors.require(
        version.is_empty() || version == POD_VERSION,
        format!("{path}.apiVersion"),
        format!("{} is not a version of pods: leave it out, or write {POD_VERSION}", quoted(version)),
    );
    let field_path = format!("{path}.fieldPath");
    match entry(&field.field_path) {
        Some(("metadata.labels", key)) => check_key(key, &field_path, errors),
        // Annotations' keys may have capitals in the prefix.
        Some(("metadata.annotations", key)) => check_key(&key.to_lowercase(), &field_path, errors),
        Some(_) | None => {
            // The name that spec.nodeName had before: Kubernetes still reads it.
            let is_old = field.field_path == "spec.host";
            errors.require(
                is_old || POD_FIELDS.contains(&field.field_path.as_str()),
                field_path,
                format!(
                    "{} is not a field that a variable can hold; there are {}, metadata.labels['KEY'] and metadata.annotations['KEY']",
                    quoted(&field.field_path),
                    POD_FIELDS.join(", ")
                ),
            );
        }
    }
}

/// The map and the key of a path such as metadata.labels['KEY'].
fn entry(path: &str) -> Option<(&str, &str)> {
    path.strip_suffix("']")?.split_once("['")
}

fn check_resource_field(field: &ResourceFieldSelector, path: &str, errors: &mut Errors) {
    let name = field.resource.strip_prefix("limits.").or_else(|| field.resource.strip_prefix("requests."));
    errors.require(
        name.is_some_and(|name| {
            ["cpu", "memory", "ephemeral-storage"].contains(&name) || name.starts_with(huge_pages::PREFIX)
        }),
        format!("{path}.resource"),
        format!(
            "{} cannot be held by a variable; there are limits and requests of cpu, memory and ephemeral-storage, such as limits.cpu",
            quoted(&field.resource)
        ),
    );
    if let (Some(name), Some(divisor)) = (name, &field.divisor) {
        check_divisor(name, divisor, &format!("{path}.divisor"), errors);
    }
    errors.require(
        field.container_name.as_ref().is_none_or(|name| name.is_empty() || name == CONTAINER),
        format!("{path}.containerName"),
        format!("names another container than the step's only one: leave it out, or write {CONTAINER}"),
    );
}

/// Checks what an amount is divided by. Kubernetes takes 0 for a divisor that is left out.
fn check_divisor(resource: &str, divisor: &Quantity, path: &str, errors: &mut Errors) {
    if amount(divisor) == Some(0.0) {
        return;
    }
    let (fits, allowed) = match resource {
        "cpu" => (amount(divisor) == Some(1.0) || is_one_thousandth(divisor), "1 and 1m are allowed"),
        _ => (
            is_one_of_a_unit(divisor),
            "1 is allowed, and 1 of a unit: 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi and 1Ei",
        ),
    };
    errors.require(fits, path, format!("is {} of {resource}; {allowed}", quoted(&divisor.0)));
}
