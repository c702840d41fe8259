//! The pod template of every workload.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Affinity, ConfigMapVolumeSource, EmptyDirVolumeSource, PersistentVolumeClaimVolumeSource,
    PodAffinityTerm, PodSecurityContext, PodSpec, PodTemplateSpec, SeccompProfile, SecretVolumeSource,
    TopologySpreadConstraint, Volume,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};

use super::container::{container, some_if_any};
use super::{BuildSettings, persistent_volume_claim as claim};
use crate::labels::label;
use crate::names;
use crate::observed::ProbePort;
use crate::pipeline::{ValidStep, ValidatedPipeline};
use crate::plan::Task;
use crate::pod_labels;
use crate::template_version::TemplateVersion;

/// The user and group that pods run as: the number that distroless images use for "nonroot".
const NON_ROOT: i64 = 65532;

/// A label that nodes do not have. To be apart from other pods by it keeps a pod from no node. But kube-scheduler looks again at a waiting pod
/// when one goes that it must be apart from, and not when one goes that it must be near to: on a node that is drained or lost, pods waited
/// five minutes for nothing after the last one had gone.
const NO_NODE_HAS: &str = "mlpipeline.dev/no-node-has-this";

/// How a pod of a step is made.
pub(super) struct Template<'a> {
    pub(super) pipeline: &'a ValidatedPipeline,
    pub(super) step: &'a ValidStep,
    pub(super) task: &'a Task,
    pub(super) settings: &'a BuildSettings,
    /// Labels beyond those of every pod of the pipeline.
    pub(super) labels: BTreeMap<String, String>,
    /// Annotations of ours.
    pub(super) annotations: BTreeMap<String, String>,
    /// Where pods that serve answer probes.
    pub(super) probe_port: ProbePort,
    /// Never or OnFailure for Jobs; left out where only Always is possible.
    pub(super) restart_policy: Option<&'static str>,
    /// The way to make it.
    pub(super) version: TemplateVersion,
    /// How its pods are spread, where the spec does not say.
    pub(super) spread: Vec<TopologySpreadConstraint>,
}

/// The pod template.
pub(super) fn template(from: Template<'_>) -> PodTemplateSpec {
    let Template {
        pipeline,
        step,
        task,
        settings,
        labels,
        annotations,
        probe_port,
        restart_policy,
        version,
        spread,
    } = from;
    let settings_of_user = &step.pod;
    let users_spread = settings_of_user.topology_spread_constraints.clone();
    let all_labels: BTreeMap<String, String> = settings_of_user
        .labels
        .clone()
        .into_iter()
        .chain(pod_labels::common_labels(pipeline))
        .chain(labels)
        .collect();
    let all_annotations: BTreeMap<String, String> =
        settings_of_user.annotations.clone().into_iter().chain(annotations).collect();
    PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(all_labels),
            annotations: (!all_annotations.is_empty()).then_some(all_annotations),
            ..ObjectMeta::default()
        }),
        spec: Some(PodSpec {
            containers: vec![container(pipeline, step, task, settings, probe_port)],
            restart_policy: restart_policy.map(str::to_owned),
            automount_service_account_token: Some(false),
            enable_service_links: Some(false),
            security_context: Some(restricted(settings.cluster_user_ids)),
            service_account_name: settings_of_user.service_account_name.clone(),
            node_selector: (!settings_of_user.node_selector.is_empty())
                .then(|| settings_of_user.node_selector.clone()),
            tolerations: some_if_any(settings_of_user.tolerations.clone()),
            affinity: affinity(pipeline, step, version),
            topology_spread_constraints: some_if_any(if users_spread.is_empty() {
                spread
            } else {
                users_spread
            }),
            priority_class_name: settings_of_user.priority_class_name.clone(),
            runtime_class_name: settings_of_user.runtime_class_name.clone(),
            image_pull_secrets: some_if_any(settings_of_user.image_pull_secrets.clone()),
            volumes: some_if_any(volumes(pipeline, step, version)),
            ..PodSpec::default()
        }),
    }
}

/// What the Pod Security Standard `restricted` asks of a pod. The group makes a fresh volume writable. Where the cluster gives out users and
/// groups, it rejects pods that name their own.
fn restricted(cluster_user_ids: bool) -> PodSecurityContext {
    let id = (!cluster_user_ids).then_some(NON_ROOT);
    PodSecurityContext {
        run_as_non_root: Some(true),
        run_as_user: id,
        run_as_group: id,
        fs_group: id,
        fs_group_change_policy: Some("OnRootMismatch".to_owned()),
        seccomp_profile: Some(SeccompProfile {
            type_: "RuntimeDefault".to_owned(),
            ..SeccompProfile::default()
        }),
        ..PodSecurityContext::default()
    }
}

/// The user's affinity and, where only one node can mount the volume, the wish to be where its other pods are. Without it a
/// pod could be scheduled to a node where its volume never comes, and a roll-out would hang.
fn affinity(pipeline: &ValidatedPipeline, step: &ValidStep, version: TemplateVersion) -> Option<Affinity> {
    let users = step.pod.affinity.clone();
    let is_known = pipeline.is_plainly_of_one_node() || version >= TemplateVersion::Placed;
    if !is_known || !pipeline.keeps_pods_together() {
        return users;
    }
    let term = |topology_key: &str| PodAffinityTerm {
        label_selector: Some(LabelSelector {
            match_labels: Some(BTreeMap::from([(label::PIPELINE.to_owned(), names::label(&pipeline.name))])),
            ..LabelSelector::default()
        }),
        topology_key: topology_key.to_owned(),
        ..PodAffinityTerm::default()
    };
    let mut affinity = users.unwrap_or_default();
    let near = affinity.pod_affinity.get_or_insert_default();
    near.required_during_scheduling_ignored_during_execution
        .get_or_insert_default()
        .push(term("kubernetes.io/hostname"));
    if version >= TemplateVersion::Placed {
        let apart = affinity.pod_anti_affinity.get_or_insert_default();
        apart
            .required_during_scheduling_ignored_during_execution
            .get_or_insert_default()
            .push(term(NO_NODE_HAS));
    }
    Some(affinity)
}

/// How much a pod may keep on its node: several downloads as large as one may be.
fn scratch_limit(version: TemplateVersion) -> Option<Quantity> {
    (version >= TemplateVersion::Limited).then(|| Quantity("256Gi".to_owned()))
}

fn volumes(pipeline: &ValidatedPipeline, step: &ValidStep, version: TemplateVersion) -> Vec<Volume> {
    let storage = claim::name(pipeline).map(|claim_name| Volume {
        name: "storage".to_owned(),
        persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource { claim_name, read_only: None }),
        ..Volume::default()
    });
    let tmp = Volume {
        name: "tmp".to_owned(),
        empty_dir: Some(EmptyDirVolumeSource { size_limit: scratch_limit(version), medium: None }),
        ..Volume::default()
    };
    let users = step.pod.volumes.iter().map(|volume| Volume {
        name: volume.name.clone(),
        config_map: volume.config_map.as_ref().map(|files| ConfigMapVolumeSource {
            name: files.name.clone(),
            default_mode: files.default_mode,
            ..ConfigMapVolumeSource::default()
        }),
        secret: volume.secret.as_ref().map(|files| SecretVolumeSource {
            secret_name: Some(files.name.clone()),
            default_mode: files.default_mode,
            ..SecretVolumeSource::default()
        }),
        empty_dir: volume
            .empty_dir
            .as_ref()
            .map(|folder| EmptyDirVolumeSource { size_limit: folder.size_limit.clone(), medium: None }),
        persistent_volume_claim: volume.persistent_volume_claim.as_ref().map(|claim| {
            PersistentVolumeClaimVolumeSource { claim_name: claim.claim_name.clone(), read_only: None }
        }),
        ..Volume::default()
    });
    storage.into_iter().chain([tmp]).chain(users).collect()
}
