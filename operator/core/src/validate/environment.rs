//! Environment variables that users set: names that can be set, and sources that Kubernetes can read.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{EnvFromSource, EnvVar, EnvVarSource, ResourceFieldSelector};
use mlpipeline_crds::{PodSettings, VARIABLE_PREFIX, WORKER_SETTINGS};

use super::dns::{check_entry_key, check_name_of};
use super::errors::Errors;
use crate::children::CONTAINER;
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

/// Checks the variables of a pipeline or of a step.
pub(super) fn check(pod: &PodSettings, path: &str, errors: &mut Errors) {
    let mut names = BTreeSet::new();
    for (index, variable) in pod.env.iter().enumerate() {
        let path = format!("{path}.env[{index}]");
        check_variable(variable, &path, errors);
        errors.require(
            names.insert(&variable.name),
            format!("{path}.name"),
            format!("{} is the name of an earlier variable too", quoted(&variable.name)),
        );
    }
    for (index, source) in pod.env_from.iter().enumerate() {
        check_source_of_many(source, &format!("{path}.envFrom[{index}]"), errors);
    }
}

/// Whether a process can have a variable of this name. Kubernetes has taken all of these since it relaxed its rule.
fn is_variable_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'=')
}

fn check_variable(variable: &EnvVar, path: &str, errors: &mut Errors) {
    errors.require(
        is_variable_name(&variable.name),
        format!("{path}.name"),
        format!(
            "{} is not a valid name of a variable: at least one ASCII character, and no = or control character",
            quoted(&variable.name)
        ),
    );
    check_not_ours(&variable.name, path, errors);
    let Some(source) = &variable.value_from else { return };
    errors.require(
        variable.value.as_ref().is_none_or(String::is_empty),
        path,
        "has both value and valueFrom: keep one",
    );
    check_source(source, &format!("{path}.valueFrom"), errors);
}

/// Refuses a variable that the operator sets itself, or that means nothing to any program of ours.
fn check_not_ours(name: &str, path: &str, errors: &mut Errors) {
    let Some(rest) = name.strip_prefix(VARIABLE_PREFIX) else { return };
    if WORKER_SETTINGS.contains(&rest) {
        return;
    }
    let hint = match rest {
        "API_KEY" => "name the key's Secret in serve.auth.apiKeySecret",
        _ => "take another name, or one of the settings that mlpipeline-worker step --help lists",
    };
    errors.add_with_hint(
        format!("{path}.name"),
        format!(
            "{} is not yours to set: names that begin with {VARIABLE_PREFIX} are the operator's",
            quoted(name)
        ),
        hint,
    );
}

fn check_source(source: &EnvVarSource, path: &str, errors: &mut Errors) {
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
    let map = source.config_map_key_ref.as_ref();
    let map = map.map(|of| ("ConfigMap", "configMapKeyRef", &of.name, &of.key, of.optional));
    let secret = source.secret_key_ref.as_ref();
    let secret = secret.map(|of| ("Secret", "secretKeyRef", &of.name, &of.key, of.optional));
    for (kind, field, name, key, optional) in map.into_iter().chain(secret) {
        // What is optional may be missing for ever; an empty name is rejected all the same.
        if optional != Some(true) || name.is_empty() {
            check_name_of(kind, Some(name), format!("{path}.{field}.name"), errors);
        }
        check_entry_key(key, format!("{path}.{field}.key"), errors);
    }
    if let Some(field) = &source.field_ref {
        let is_entry = ["metadata.labels['", "metadata.annotations['"]
            .iter()
            .any(|start| field.field_path.starts_with(start) && field.field_path.ends_with("']"));
        // The name that spec.nodeName had before: Kubernetes still reads it.
        let is_old = field.field_path == "spec.host";
        errors.require(
            is_entry || is_old || POD_FIELDS.contains(&field.field_path.as_str()),
            format!("{path}.fieldRef.fieldPath"),
            format!(
                "{} is not a field that a variable can hold; there are {}, metadata.labels['KEY'] and metadata.annotations['KEY']",
                quoted(&field.field_path),
                POD_FIELDS.join(", ")
            ),
        );
    }
    if let Some(field) = &source.resource_field_ref {
        check_resource_field(field, &format!("{path}.resourceFieldRef"), errors);
    }
}

fn check_resource_field(field: &ResourceFieldSelector, path: &str, errors: &mut Errors) {
    let name = field.resource.strip_prefix("limits.").or_else(|| field.resource.strip_prefix("requests."));
    errors.require(
        name.is_some_and(|name| {
            ["cpu", "memory", "ephemeral-storage"].contains(&name) || name.starts_with("hugepages-")
        }),
        format!("{path}.resource"),
        format!(
            "{} cannot be held by a variable; there are limits and requests of cpu, memory and ephemeral-storage, such as limits.cpu",
            quoted(&field.resource)
        ),
    );
    errors.require(
        field.container_name.as_ref().is_none_or(|name| name.is_empty() || name == CONTAINER),
        format!("{path}.containerName"),
        format!("names another container than the step's only one: leave it out, or write {CONTAINER}"),
    );
}

fn check_source_of_many(source: &EnvFromSource, path: &str, errors: &mut Errors) {
    errors.require(
        source.config_map_ref.is_some() != source.secret_ref.is_some(),
        path,
        "is exactly one of configMapRef and secretRef",
    );
    let map = source.config_map_ref.as_ref().map(|of| of.name.as_str());
    check_name_of("ConfigMap", map, format!("{path}.configMapRef.name"), errors);
    let secret = source.secret_ref.as_ref().map(|of| of.name.as_str());
    check_name_of("Secret", secret, format!("{path}.secretRef.name"), errors);
    if let Some(prefix) = source.prefix.as_ref().filter(|prefix| !prefix.is_empty()) {
        errors.require(
            !prefix.starts_with(VARIABLE_PREFIX),
            format!("{path}.prefix"),
            format!(
                "begins with {VARIABLE_PREFIX}, and such variables are the operator's: take another prefix"
            ),
        );
        errors.require(
            is_variable_name(prefix),
            format!("{path}.prefix"),
            format!(
                "{} cannot begin the name of a variable: ASCII without = and control characters is allowed",
                quoted(prefix)
            ),
        );
    }
}
