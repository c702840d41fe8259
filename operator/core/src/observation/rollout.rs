//! Roll-outs that something other than the pipeline holds back: pods of an earlier template stay, and no controller replaces them.
//!
//! It is named and not undone: who pauses a roll-out means to.

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::metadata::step_of;
use super::snapshot::Snapshot;
use crate::observed::PodIssue;

/// An update strategy by which pods stay until somebody deletes them.
const ON_DELETE: &str = "OnDelete";

/// Every workload whose roll-out is held back, with its step.
pub(super) fn held_back(snapshot: &Snapshot) -> impl Iterator<Item = (String, PodIssue)> {
    let deployments = snapshot.deployments.iter().filter_map(|found| deployment(found));
    let sets = snapshot.stateful_sets.iter().filter_map(|found| stateful_set(found));
    deployments.chain(sets).chain(snapshot.daemon_sets.iter().filter_map(|found| daemon_set(found)))
}

fn deployment(found: &Deployment) -> Option<(String, PodIssue)> {
    let status = found.status.as_ref()?;
    let is_paused = found.spec.as_ref()?.paused == Some(true);
    let has_old = status.replicas.unwrap_or_default() > status.updated_replicas.unwrap_or_default();
    let name = found.metadata.name.as_deref().unwrap_or_default();
    let way_out = format!("kubectl rollout resume deployment/{name}");
    (is_paused && has_old).then(|| issue(&found.metadata, "Deployment", "spec.paused", &way_out))?
}

fn stateful_set(found: &StatefulSet) -> Option<(String, PodIssue)> {
    let status = found.status.as_ref()?;
    let strategy = found.spec.as_ref()?.update_strategy.as_ref()?;
    let partition =
        strategy.rolling_update.as_ref().and_then(|rolling| rolling.partition).unwrap_or_default();
    let has_old = status.current_revision != status.update_revision
        && status.replicas > status.updated_replicas.unwrap_or_default();
    let field = match strategy.type_.as_deref() {
        Some(ON_DELETE) => "spec.updateStrategy.type: OnDelete".to_owned(),
        _ if partition > 0 => format!("spec.updateStrategy.rollingUpdate.partition: {partition}"),
        _ => return None,
    };
    has_old.then(|| {
        issue(&found.metadata, "StatefulSet", &field, &without_strategy("statefulset", &found.metadata))
    })?
}

fn daemon_set(found: &DaemonSet) -> Option<(String, PodIssue)> {
    let status = found.status.as_ref()?;
    let strategy = found.spec.as_ref()?.update_strategy.as_ref()?;
    let has_old = status.current_number_scheduled > status.updated_number_scheduled.unwrap_or_default();
    if strategy.type_.as_deref() != Some(ON_DELETE) || !has_old {
        return None;
    }
    let way_out = without_strategy("daemonset", &found.metadata);
    issue(&found.metadata, "DaemonSet", "spec.updateStrategy.type: OnDelete", &way_out)
}

/// The command by which Kubernetes' own default holds again.
fn without_strategy(resource: &str, metadata: &ObjectMeta) -> String {
    let name = metadata.name.as_deref().unwrap_or_default();
    format!("kubectl patch {resource} {name} -p '{{\"spec\":{{\"updateStrategy\":null}}}}'")
}

fn issue(metadata: &ObjectMeta, kind: &str, field: &str, way_out: &str) -> Option<(String, PodIssue)> {
    let name = metadata.name.as_deref().unwrap_or_default();
    let message = format!(
        "pods of an earlier template stay, since something other than the pipeline has set {field} of {kind} {name}; {way_out}"
    );
    Some((step_of(metadata)?, PodIssue { reason: "RolloutPaused".to_owned(), message }))
}
