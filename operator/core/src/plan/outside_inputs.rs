//! What a step reads that is not part of the spec: the content of Secrets and ConfigMaps. Nobody here ever reads it, so a failure that may come
//! from it says how to try again when it has changed.

use crate::pipeline::ValidStep;

/// Failures of the worker that wrong credentials lead to.
const OF_WORKER: [&str; 10] = [
    "CredentialsMissing",
    "StoreInvalid",
    "StoreRefused",
    "StoreUnreachable",
    "FetchRefused",
    "FetchFailed",
    "SourceRefused",
    "DeliveryRefused",
    "EndpointRefused",
    "ReceiverUnavailable",
];
/// Failures of a container of the user's, of which no more is known.
const OF_CONTAINER: [&str; 1] = ["ContainerFailed"];
/// How many objects are named.
const NAMES: usize = 3;

/// What follows the message of a failure of this kind.
pub(super) fn way_out(step: &ValidStep, reason: &str) -> String {
    let known: &[&str] = if step.is_worker() { &OF_WORKER } else { &OF_CONTAINER };
    let objects = objects(step);
    if !known.contains(&reason) || objects.is_empty() {
        return String::new();
    }
    let more = if objects.len() > NAMES { " or another" } else { "" };
    let named = objects.iter().take(NAMES).cloned().collect::<Vec<_>>().join(" or ");
    format!("; if {named}{more} was wrong and has been corrected, change the step's rerun")
}

/// The Secrets and ConfigMaps that a step reads, each once, by kind and name.
fn objects(step: &ValidStep) -> Vec<String> {
    let secret = |name: &str| format!("Secret {name}");
    let config_map = |name: &str| format!("ConfigMap {name}");
    let mut all: Vec<String> =
        step.action.descriptor().credentials().iter().map(|(_, name)| secret(name)).collect();
    for source in step.pod.env.iter().filter_map(|variable| variable.value_from.as_ref()) {
        all.extend(source.secret_key_ref.as_ref().map(|key| secret(&key.name)));
        all.extend(source.config_map_key_ref.as_ref().map(|key| config_map(&key.name)));
    }
    for source in &step.pod.env_from {
        all.extend(source.secret_ref.as_ref().map(|object| secret(&object.name)));
        all.extend(source.config_map_ref.as_ref().map(|object| config_map(&object.name)));
    }
    for volume in &step.pod.volumes {
        all.extend(volume.secret.as_ref().map(|files| secret(&files.name)));
        all.extend(volume.config_map.as_ref().map(|files| config_map(&files.name)));
    }
    all.sort();
    all.dedup();
    all
}
