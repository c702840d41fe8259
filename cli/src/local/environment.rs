//! The environment that a step's pods would have: from `pod.env`, `pod.envFrom` and the objects in the given files.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{EnvFromSource, EnvVar, EnvVarSource};
use mlpipeline_core::credentials;
use mlpipeline_core::pipeline::ValidStep;

use super::foreign_variables::refusal;
use crate::manifest::{Objects, SecretText};

/// The variable that makes a serving worker ask its callers for a key.
const API_KEY: &str = "MLPIPELINE_API_KEY";

/// The variable that opens addresses to the worker. Which this machine may be led to is for its owner to say, not for a pipeline.
const ALLOW_ADDRESSES: &str = "MLPIPELINE_ALLOW_ADDRESSES";

/// Variables by name. Values may be secret.
pub type Environment = BTreeMap<String, SecretText>;

/// Which pod an environment is for.
#[derive(Clone, Copy, Debug)]
pub struct Pod<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
}

/// The environment of one of a step's pods.
///
/// # Errors
/// Everything that is referred to and not there, each with what to do; never a value.
pub fn environment(step: &ValidStep, objects: &Objects, pod: Pod<'_>) -> Result<Environment, Vec<String>> {
    let mut resolver =
        Resolver { step, objects, pod, variables: objects.defaults().clone(), errors: Vec::new() };
    for source in &step.pod.env_from {
        resolver.take_all(source);
    }
    for source in credentials::env_from(step.action.descriptor().credentials()) {
        resolver.take_credentials(&source);
    }
    for variable in &step.pod.env {
        resolver.take_one(variable);
    }
    if let Some(serve) = step.action.descriptor().serving()
        && let Some(auth) = &serve.auth
    {
        let (name, key) = (&auth.api_key_secret.name, &auth.api_key_secret.key);
        if let Some(value) = resolver.entry("Secret", name, key, false) {
            if value.reveal().is_empty() {
                resolver.errors.push(format!("the API key in Secret {name}, key {key}, is empty"));
            }
            resolver.variables.insert(API_KEY.to_owned(), value);
        }
    }
    let own = objects.defaults();
    // What the files may not set here is the user's alone to set: where the user has, that value holds, whatever the files say.
    for (name, value) in own.iter().filter(|(name, _)| *name == ALLOW_ADDRESSES || refusal(name).is_some()) {
        resolver.variables.insert(name.clone(), value.clone());
    }
    let foreign = resolver.variables.keys().filter(|name| !own.contains_key(*name));
    let refused: Vec<String> = foreign.filter_map(|name| refusal(name)).collect();
    resolver.errors.extend(refused);
    if !own.contains_key(ALLOW_ADDRESSES) {
        resolver.variables.remove(ALLOW_ADDRESSES);
    }
    if resolver.errors.is_empty() { Ok(resolver.variables) } else { Err(resolver.errors) }
}

struct Resolver<'a> {
    step: &'a ValidStep,
    objects: &'a Objects,
    pod: Pod<'a>,
    variables: Environment,
    errors: Vec<String>,
}

impl Resolver<'_> {
    fn take_all(&mut self, source: &EnvFromSource) {
        let map = source.config_map_ref.as_ref().map(|map| ("ConfigMap", &map.name, map.optional));
        let secret = source.secret_ref.as_ref().map(|secret| ("Secret", &secret.name, secret.optional));
        let prefix = source.prefix.as_deref().unwrap_or_default();
        for (kind, name, optional) in map.into_iter().chain(secret) {
            match self.objects.entries(kind, name) {
                Some(entries) => {
                    for key in entries.keys() {
                        if let Some(value) = self.entry(kind, name, key, false) {
                            self.variables.insert(format!("{prefix}{key}"), value);
                        }
                    }
                }
                None if optional.unwrap_or_default() || !self.objects.defaults().is_empty() => {}
                None => self.errors.push(missing(kind, name, None)),
            }
        }
    }

    /// A Secret with credentials for a store. Variables of a file stand in for one that no given file has.
    fn take_credentials(&mut self, source: &EnvFromSource) {
        let Some(secret) = &source.secret_ref else { return };
        if self.objects.entries("Secret", &secret.name).is_some() {
            return self.take_all(source);
        }
        let prefix = source.prefix.as_deref().unwrap_or_default();
        let stand_ins =
            credentials::KEYS.iter().filter_map(|key| Some((*key, self.objects.defaults().get(*key)?)));
        let stand_ins: Vec<(String, SecretText)> =
            stand_ins.map(|(key, value)| (format!("{prefix}{key}"), value.clone())).collect();
        if stand_ins.is_empty() {
            self.errors.push(missing("Secret", &secret.name, None));
        }
        self.variables.extend(stand_ins);
    }

    fn take_one(&mut self, variable: &EnvVar) {
        let value = match &variable.value_from {
            None => {
                Some(SecretText::from(expand(variable.value.as_deref().unwrap_or_default(), &self.variables)))
            }
            Some(source) => self.referred(&variable.name, source),
        };
        if let Some(value) = value {
            self.variables.insert(variable.name.clone(), value);
        }
    }

    fn referred(&mut self, variable: &str, source: &EnvVarSource) -> Option<SecretText> {
        if let Some(key) = &source.config_map_key_ref {
            return self.entry("ConfigMap", &key.name, &key.key, key.optional.unwrap_or_default());
        }
        if let Some(key) = &source.secret_key_ref {
            return self.entry("Secret", &key.name, &key.key, key.optional.unwrap_or_default());
        }
        let value = source.field_ref.as_ref().and_then(|field| self.field(&field.field_path));
        if value.is_none() {
            let wanted =
                source.field_ref.as_ref().map_or("this kind of reference", |field| field.field_path.as_str());
            self.errors.push(format!("the variable {variable} needs {wanted}, which only a cluster has"));
        }
        value.map(SecretText::from)
    }

    fn entry(&mut self, kind: &'static str, name: &str, key: &str, optional: bool) -> Option<SecretText> {
        match self.objects.entry(kind, name, key) {
            Some(Ok(value)) => return Some(value.clone()),
            Some(Err(problem)) => self.errors.push(format!(
                "the entry {key} of the {kind} {name} {problem}; a variable {key} in --env-file stands in for it"
            )),
            None if optional => {}
            None => self.errors.push(missing(kind, name, Some(key))),
        }
        None
    }

    fn field(&self, path: &str) -> Option<String> {
        let pod = &self.step.pod;
        let keyed = |prefix: &str| path.strip_prefix(prefix)?.strip_prefix("['")?.strip_suffix("']");
        match path {
            "metadata.name" => Some(self.pod.name.to_owned()),
            "metadata.namespace" => Some(self.pod.namespace.to_owned()),
            "spec.nodeName" => Some("localhost".to_owned()),
            "spec.serviceAccountName" => {
                Some(pod.service_account_name.clone().unwrap_or_else(|| "default".into()))
            }
            "status.hostIP" | "status.podIP" | "status.hostIPs" | "status.podIPs" => {
                Some("127.0.0.1".to_owned())
            }
            _ => {
                let label = keyed("metadata.labels").map(|key| pod.labels.get(key));
                let annotation = keyed("metadata.annotations").map(|key| pod.annotations.get(key));
                label.or(annotation).map(|value| value.cloned().unwrap_or_default())
            }
        }
    }
}

fn missing(kind: &str, name: &str, key: Option<&str>) -> String {
    let flag = if kind == "Secret" { "--secrets FILE or --env-file FILE" } else { "--env-file FILE" };
    match key {
        Some(key) => format!(
            "no given file has the {kind} {name} with the key {key}; add the {kind} to the files, or use {flag}"
        ),
        None => format!("no given file has the {kind} {name}; add the {kind} to the files, or use {flag}"),
    }
}

/// Puts variables in place of $(NAME), as Kubernetes does: $$ stands for $, and what is not known stays as it is.
#[must_use]
pub fn expand(text: &str, variables: &Environment) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        let reference = after.strip_prefix('(').and_then(|inner| inner.split_once(')'));
        rest = if let Some(escaped) = after.strip_prefix('$') {
            expanded.push('$');
            escaped
        } else if let Some((value, behind)) =
            reference.and_then(|(name, behind)| Some((variables.get(name)?, behind)))
        {
            expanded.push_str(value.reveal());
            behind
        } else {
            expanded.push('$');
            after
        };
    }
    expanded.push_str(rest);
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_expanded_as_kubernetes_does() {
        let variables: Environment =
            [("A", "1"), ("B", "two")].map(|(name, value)| (name.to_owned(), value.to_owned().into())).into();
        let rows = [
            ("$(A)-$(B)", "1-two"),
            ("$$(A)", "$(A)"),
            ("$(MISSING) $A $", "$(MISSING) $A $"),
            ("$(A", "$(A"),
            ("é$(A)é", "é1é"),
        ];
        for (text, expected) in rows {
            assert_eq!(expand(text, &variables), expected, "{text}");
        }
    }
}
