//! Environment variables that users set: names that can be set, and sources of many at once that Kubernetes can read.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{EnvFromSource, EnvVar};
use mlpipeline_crds::{PodSettings, VARIABLE_PREFIX, WORKER_SETTINGS};

use super::dns::check_name_of;
use super::errors::Errors;
use super::variable_source;
use crate::quoted::quoted;

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
    variable_source::check(source, &format!("{path}.valueFrom"), errors);
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
