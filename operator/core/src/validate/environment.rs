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

/// What the names of variables begin with that the worker takes for credentials beside those of a Secret that a step names.
const CUSTOMARY_PREFIX: &str = "AWS_";

/// Whether some entry of a source with this prefix has a name that begins like that. Names differ by case, as they do to a process.
fn leads_to(prefix: &str, reserved: &str) -> bool {
    prefix.starts_with(reserved) || reserved.starts_with(prefix)
}

/// Refuses sources of variables that could add to a Secret with credentials of the worker's. Kubernetes puts the entries of all sources
/// together, so an entry called as one that the Secret does not have would be taken for the Secret's: to switch off the check of a
/// certificate, or to lead credentials elsewhere. A variable that `env` names is the pipeline's author's own.
pub(super) fn check_beside_credentials(
    of_pipeline: Option<&PodSettings>,
    of_step: Option<&PodSettings>,
    (secret, step, path): (&str, &str, &str),
    errors: &mut Errors,
) {
    for (pod, path) in [(of_pipeline, "spec.pod"), (of_step, path)] {
        for (index, source) in pod.into_iter().flat_map(|pod| &pod.env_from).enumerate() {
            let prefix = source.prefix.as_deref().unwrap_or_default();
            if !leads_to(prefix, CUSTOMARY_PREFIX) {
                continue;
            }
            let found = match prefix {
                "" => "has no prefix".to_owned(),
                prefix => format!("has the prefix {}", quoted(prefix)),
            };
            let kind = if source.secret_ref.is_some() { "Secret" } else { "ConfigMap" };
            errors.add_with_hint(
                format!("{path}.envFrom[{index}]"),
                format!(
                    "{found}, and the step {} reads credentials from the Secret {}: whoever writes the {kind} could add to them",
                    quoted(step),
                    quoted(secret)
                ),
                "give it another prefix, or name the entries that are needed one by one in env",
            );
        }
    }
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
            !leads_to(prefix, VARIABLE_PREFIX),
            format!("{path}.prefix"),
            format!(
                "is {}, with which an entry can have a name that begins with {VARIABLE_PREFIX}, and such variables are the operator's: take another prefix",
                quoted(prefix)
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
