//! How many serving pods may be away at a time when nodes are drained.

use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::metadata;
use crate::names;
use crate::pipeline::{ValidStep, ValidatedPipeline};

/// The PodDisruptionBudget of a serve step; `None` for one replica, whose node it would block from being drained.
pub(super) fn pod_disruption_budget(
    pipeline: &ValidatedPipeline,
    step: &ValidStep,
) -> Option<PodDisruptionBudget> {
    let fewest = step.action.descriptor().replicas().fewest();
    (fewest > 1).then(|| PodDisruptionBudget {
        metadata: metadata::of_step(pipeline, step, names::step_object(&pipeline.name, &step.name)),
        spec: Some(PodDisruptionBudgetSpec {
            max_unavailable: Some(IntOrString::Int(1)),
            selector: Some(metadata::selector(pipeline, step)),
            ..PodDisruptionBudgetSpec::default()
        }),
        status: None,
    })
}
