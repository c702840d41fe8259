//! Pod settings: how those of a step and of the pipeline come together, and what they may not be.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use mlpipeline_crds::{Mount, PodSettings, Volume, VolumeStorage};
use serde_json::Value;

use super::dns::is_dns_label;
use super::errors::Errors;
use crate::quoted::quoted;

/// Prefixes of labels and annotations that are ours or a GitOps tool's: a pod with such a label of the user's making would be
/// taken for somebody else's.
const RESERVED_PREFIXES: [&str; 4] =
    ["mlpipeline.dev/", "app.kubernetes.io/", "argocd.argoproj.io/", "batch.kubernetes.io/"];

/// Folders at the root of the container that the operator mounts itself.
const RESERVED_FOLDERS: [&str; 2] = ["storage", "tmp"];

/// The settings of a step over those of its pipeline.
pub(super) fn merge(pipeline: Option<&PodSettings>, step: Option<&PodSettings>) -> PodSettings {
    let base = pipeline.cloned().unwrap_or_default();
    let Some(over) = step.cloned() else { return base };
    PodSettings {
        env: by_key(base.env, over.env, |variable| variable.name.clone()),
        env_from: base.env_from.into_iter().chain(over.env_from).collect(),
        resources: over.resources.or(base.resources),
        node_selector: maps(base.node_selector, over.node_selector),
        tolerations: base.tolerations.into_iter().chain(over.tolerations).collect(),
        affinity: over.affinity.or(base.affinity),
        topology_spread_constraints: base
            .topology_spread_constraints
            .into_iter()
            .chain(over.topology_spread_constraints)
            .collect(),
        priority_class_name: over.priority_class_name.or(base.priority_class_name),
        runtime_class_name: over.runtime_class_name.or(base.runtime_class_name),
        image_pull_policy: over.image_pull_policy.or(base.image_pull_policy),
        image_pull_secrets: base.image_pull_secrets.into_iter().chain(over.image_pull_secrets).collect(),
        service_account_name: over.service_account_name.or(base.service_account_name),
        labels: maps(base.labels, over.labels),
        annotations: maps(base.annotations, over.annotations),
        volumes: by_key(base.volumes, over.volumes, |volume| volume.name.clone()),
        mounts: by_key(base.mounts, over.mounts, |mount| mount.mount_path.clone()),
    }
}

fn maps(base: BTreeMap<String, String>, over: BTreeMap<String, String>) -> BTreeMap<String, String> {
    base.into_iter().chain(over).collect()
}

/// Both lists, without those of the first whose key the second has too.
fn by_key<T>(base: Vec<T>, over: Vec<T>, key: impl Fn(&T) -> String) -> Vec<T> {
    let taken: BTreeSet<String> = over.iter().map(&key).collect();
    base.into_iter().filter(|item| !taken.contains(&key(item))).chain(over).collect()
}

/// Checks the pod settings of a pipeline or of a step. A step's mounts may name volumes of the pipeline too.
pub(super) fn check_settings(
    settings: Option<&PodSettings>,
    of_pipeline: Option<&PodSettings>,
    path: &str,
    errors: &mut Errors,
) {
    let Some(pod) = settings else { return };
    for (field, map) in [("labels", &pod.labels), ("annotations", &pod.annotations)] {
        for key in map.keys() {
            if let Some(prefix) = RESERVED_PREFIXES.iter().find(|prefix| key.starts_with(**prefix)) {
                errors.add_with_hint(
                    format!("{path}.{field}"),
                    format!(
                        "{} is reserved: keys under {prefix} belong to the tools that manage the pods",
                        quoted(key)
                    ),
                    "take another prefix",
                );
            }
        }
    }
    let affinity = serde_json::to_value(&pod.affinity).unwrap_or_default();
    errors.require(
        !names_namespaces(&affinity),
        format!("{path}.affinity"),
        "names other namespaces: leave out namespaces and namespaceSelector",
    );
    for (index, volume) in pod.volumes.iter().enumerate() {
        check_pod_volume(volume, &format!("{path}.volumes[{index}]"), errors);
    }
    let mut known: Vec<&str> = of_pipeline
        .into_iter()
        .chain([pod])
        .flat_map(|pod| &pod.volumes)
        .map(|found| found.name.as_str())
        .collect();
    known.dedup();
    for (index, mount) in pod.mounts.iter().enumerate() {
        check_mount(mount, &known, &format!("{path}.mounts[{index}]"), errors);
    }
}

/// Whether a term of an affinity reaches into other namespaces.
fn names_namespaces(affinity: &Value) -> bool {
    match affinity {
        Value::Object(fields) => {
            let is_term = fields.contains_key("topologyKey");
            is_term && (fields.contains_key("namespaces") || fields.contains_key("namespaceSelector"))
                || fields.values().any(names_namespaces)
        }
        Value::Array(items) => items.iter().any(names_namespaces),
        _ => false,
    }
}

fn check_pod_volume(volume: &Volume, path: &str, errors: &mut Errors) {
    errors.require(
        is_dns_label(&volume.name) && volume.name.len() <= 63,
        format!("{path}.name"),
        format!(
            "{} is not a valid volume name: 1 to 63 lower-case letters, digits and -",
            quoted(&volume.name)
        ),
    );
    errors.require(
        !matches!(volume.name.as_str(), "storage" | "tmp"),
        format!("{path}.name"),
        format!("{} is the name of a volume that every step has", quoted(&volume.name)),
    );
    for (field, files) in [("configMap", &volume.config_map), ("secret", &volume.secret)] {
        let mode = files.as_ref().and_then(|files| files.default_mode);
        errors.require_between(mode, (0, 0o777), format!("{path}.{field}.defaultMode"));
    }
    let sources = [
        volume.config_map.is_some(),
        volume.secret.is_some(),
        volume.empty_dir.is_some(),
        volume.persistent_volume_claim.is_some(),
    ];
    errors.require(
        sources.iter().filter(|present| **present).count() == 1,
        path,
        "a volume is exactly one of configMap, secret, emptyDir and persistentVolumeClaim",
    );
}

fn check_mount(mount: &Mount, known: &[&str], path: &str, errors: &mut Errors) {
    if !known.contains(&mount.name.as_str()) {
        let hint = match known {
            [] => "list it there first".to_owned(),
            known => format!("there are {}", known.join(", ")),
        };
        errors.add_with_hint(
            format!("{path}.name"),
            format!("there is no volume {} under pod.volumes", quoted(&mount.name)),
            hint,
        );
    }
    check_mount_path(&mount.mount_path, &format!("{path}.mountPath"), errors);
}

/// Checks where something is mounted in the container.
pub(super) fn check_mount_path(mount_path: &str, path: &str, errors: &mut Errors) {
    let folders: Vec<&str> = mount_path.split('/').filter(|part| !part.is_empty()).collect();
    let confined = mount_path.starts_with('/')
        && !mount_path.contains(':')
        && folders.first().is_some_and(|first| !RESERVED_FOLDERS.contains(first))
        && !folders.contains(&"..");
    errors.require(
        confined,
        path,
        format!(
            "{} cannot be mounted at: begin with /, leave out : and .., and keep away from / itself, /{}",
            quoted(mount_path),
            RESERVED_FOLDERS.join(" and /")
        ),
    );
}

/// Checks the pipeline's volume.
pub(super) fn check_volume(volume: &VolumeStorage, errors: &mut Errors) {
    let own = volume.size.is_some()
        || volume.storage_class_name.is_some()
        || volume.access_modes.is_some()
        || volume.retain.is_some();
    errors.require(
        volume.claim_name.is_none() || !own,
        "spec.storage.volume",
        "claimName names a claim that is there already: leave out size, storageClassName, accessModes and retain",
    );
    if let Some(size) = &volume.size {
        check_size(size, "spec.storage.volume.size", errors);
    }
}

/// Checks how much of a volume is asked for.
pub(super) fn check_size(size: &Quantity, path: &str, errors: &mut Errors) {
    let number = size.0.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let unit = size.0.get(number.len()..).unwrap_or_default();
    let units = ["", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    let fits =
        number.parse::<f64>().is_ok_and(|amount| amount.is_finite() && amount > 0.0) && units.contains(&unit);
    errors.require(fits, path, format!("{} is not a valid size; write 1Gi or 500Mi", quoted(&size.0)));
}
