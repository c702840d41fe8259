//! How many serving pods may be away at a time when nodes are drained.

use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::metadata;
use crate::names;
use crate::pipeline::{ValidStep, ValidatedPipeline};
use crate::step_node::bond;
use crate::tracks::Track;

/// The PodDisruptionBudget of a serve step; `None` where it would keep a node from being drained: for one replica, and for pods that are bound
/// to one node, since none of them becomes ready elsewhere before all have left.
pub(super) fn pod_disruption_budget(
    pipeline: &ValidatedPipeline,
    step: &ValidStep,
) -> Option<PodDisruptionBudget> {
    let fewest = step.action.descriptor().replicas().fewest();
    (fewest > 1 && bond(pipeline, step).is_none()).then(|| PodDisruptionBudget {
        metadata: metadata::of_step(pipeline, step, names::step_object(&pipeline.name, &step.name)),
        spec: Some(PodDisruptionBudgetSpec {
            max_unavailable: Some(IntOrString::Int(1)),
            selector: Some(metadata::selector(pipeline, step, Track::Stable)),
            // A pod that is not ready answers nobody, so a drain need not wait for it.
            unhealthy_pod_eviction_policy: Some("AlwaysAllow".to_owned()),
            ..PodDisruptionBudgetSpec::default()
        }),
        status: None,
    })
}
