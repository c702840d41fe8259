//! Pod settings: how those of a step and of the pipeline come together, and what they may not be.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::LocalObjectReference;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use mlpipeline_crds::{PodSettings, Volume, VolumeStorage};

use super::dns::{check_name_of, is_dns_label};
use super::errors::Errors;
use super::mounts::{self, place};
use super::{environment, labels, placement, pod_annotations, resources};
use crate::quantity::amount;
use crate::quoted::quoted;

/// The settings of a step over those of its pipeline.
pub(super) fn merge(pipeline: Option<&PodSettings>, step: Option<&PodSettings>) -> PodSettings {
    let base = pipeline.cloned().unwrap_or_default();
    let over = step.cloned().unwrap_or_default();
    PodSettings {
        env: by_key(base.env, over.env, |variable| variable.name.clone()),
        env_from: base.env_from.into_iter().chain(over.env_from).collect(),
        resources: over.resources.or(base.resources),
        node_selector: maps(base.node_selector, over.node_selector),
        tolerations: base.tolerations.into_iter().chain(over.tolerations).collect(),
        affinity: over.affinity.or(base.affinity),
        topology_spread_constraints: by_key(
            base.topology_spread_constraints,
            over.topology_spread_constraints,
            placement::spread_key,
        ),
        priority_class_name: over.priority_class_name.or(base.priority_class_name),
        runtime_class_name: over.runtime_class_name.or(base.runtime_class_name),
        image_pull_policy: over.image_pull_policy.or(base.image_pull_policy),
        image_pull_secrets: each_once(base.image_pull_secrets.into_iter().chain(over.image_pull_secrets)),
        service_account_name: over.service_account_name.or(base.service_account_name),
        labels: maps(base.labels, over.labels),
        annotations: maps(base.annotations, over.annotations),
        volumes: by_key(base.volumes, over.volumes, |volume| volume.name.clone()),
        mounts: by_key(base.mounts, over.mounts, |mount| place(&mount.mount_path)),
    }
}

fn maps(base: BTreeMap<String, String>, over: BTreeMap<String, String>) -> BTreeMap<String, String> {
    base.into_iter().chain(over).collect()
}

/// Both lists, without those of the first whose key the second has too.
fn by_key<T, K: Ord>(base: Vec<T>, over: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
    let taken: BTreeSet<K> = over.iter().map(&key).collect();
    base.into_iter().filter(|item| !taken.contains(&key(item))).chain(over).collect()
}

/// The Secrets, each where it is named first: a list of them cannot name one twice.
fn each_once(secrets: impl Iterator<Item = LocalObjectReference>) -> Vec<LocalObjectReference> {
    let mut named = BTreeSet::new();
    secrets.filter(|secret| named.insert(secret.name.clone())).collect()
}

/// Checks the pod settings of a pipeline or of a step. A step's mounts may name volumes of the pipeline too.
pub(super) fn check_settings(
    settings: Option<&PodSettings>,
    of_pipeline: Option<&PodSettings>,
    path: &str,
    errors: &mut Errors,
) {
    let Some(pod) = settings else { return };
    environment::check(pod, path, errors);
    resources::check(pod.resources.as_ref(), &format!("{path}.resources"), errors);
    placement::check(pod, path, errors);
    labels::check_of_pods(pod, path, errors);
    pod_annotations::check(&pod.annotations, &format!("{path}.annotations"), errors);
    for (field, kind, name) in [
        ("priorityClassName", "PriorityClass", &pod.priority_class_name),
        ("runtimeClassName", "RuntimeClass", &pod.runtime_class_name),
        ("serviceAccountName", "ServiceAccount", &pod.service_account_name),
    ] {
        check_name_of(kind, name.as_deref(), format!("{path}.{field}"), errors);
    }
    let mut names = BTreeSet::new();
    for (index, volume) in pod.volumes.iter().enumerate() {
        let path = format!("{path}.volumes[{index}]");
        check_pod_volume(volume, &path, errors);
        errors.require(
            names.insert(&volume.name),
            format!("{path}.name"),
            format!("{} is the name of an earlier volume too", quoted(&volume.name)),
        );
    }
    let known = of_pipeline.into_iter().chain([pod]).flat_map(|pod| &pod.volumes);
    let known: Vec<&str> = known.map(|found| found.name.as_str()).collect();
    mounts::check(&pod.mounts, known, path, errors);
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
    let map = volume.config_map.as_ref().map(|files| files.name.as_str());
    check_name_of("ConfigMap", map, format!("{path}.configMap.name"), errors);
    let secret = volume.secret.as_ref().map(|files| files.name.as_str());
    check_name_of("Secret", secret, format!("{path}.secret.name"), errors);
    let claim = volume.persistent_volume_claim.as_ref().map(|claim| claim.claim_name.as_str());
    let claim_path = format!("{path}.persistentVolumeClaim.claimName");
    check_name_of("PersistentVolumeClaim", claim, claim_path, errors);
    let limit = volume.empty_dir.as_ref().and_then(|folder| folder.size_limit.as_ref());
    if let Some(limit) = limit {
        check_size_limit(limit, &format!("{path}.emptyDir.sizeLimit"), errors);
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

fn check_size_limit(limit: &Quantity, path: &str, errors: &mut Errors) {
    match amount(limit) {
        None => {
            errors.add(path, format!("{} is not a valid amount; write 1Gi or 500Mi", quoted(&limit.0)));
        }
        Some(bytes) => errors.require(
            !resources::is_below(bytes, resources::LEAST_STORAGE),
            path,
            format!(
                "{} holds no file, and pods that write one are evicted; write 1Gi or 500Mi",
                quoted(&limit.0)
            ),
        ),
    }
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
    let path = "spec.storage.volume";
    let claim = volume.claim_name.as_deref();
    check_name_of("PersistentVolumeClaim", claim, format!("{path}.claimName"), errors);
    // An empty one has a meaning: no volume is made, and one that is there is taken.
    let class = volume.storage_class_name.as_deref().filter(|class| !class.is_empty());
    check_name_of("StorageClass", class, format!("{path}.storageClassName"), errors);
    if let Some(size) = &volume.size {
        check_size(size, "spec.storage.volume.size", errors);
    }
}

/// Checks how much of a volume is asked for.
pub(super) fn check_size(size: &Quantity, path: &str, errors: &mut Errors) {
    let is_fraction = size.0.ends_with(['n', 'u', 'm']);
    let fits = !is_fraction && amount(size).is_some_and(|amount| amount > 0.0);
    errors.require(fits, path, format!("{} is not a valid size; write 1Gi or 500Mi", quoted(&size.0)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(yaml: &str) -> PodSettings {
        serde_saphyr::from_str(yaml).expect("pod settings")
    }

    #[test]
    fn what_both_levels_name_is_there_once_and_the_steps_wins() {
        let pipeline = settings(
            "{imagePullSecrets: [{name: a}, {name: b}, {name: a}], mounts: [{name: v, mountPath: /x/}], topologySpreadConstraints: [\
             {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}, {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}]}",
        );
        let step = settings(
            "{imagePullSecrets: [{name: b}, {name: c}], mounts: [{name: w, mountPath: /x}], topologySpreadConstraints: [\
             {maxSkew: 3, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]}",
        );
        let merged = merge(Some(&pipeline), Some(&step));
        let secrets: Vec<&str> =
            merged.image_pull_secrets.iter().map(|secret| secret.name.as_str()).collect();
        assert_eq!(secrets, ["a", "b", "c"]);
        let skews: Vec<i32> = merged.topology_spread_constraints.iter().map(|found| found.max_skew).collect();
        assert_eq!(skews, [1, 3]);
        assert_eq!(merged.mounts, step.mounts);
        assert_eq!(merge(Some(&pipeline), None).image_pull_secrets.len(), 2);
    }
}
