//! A missing permission of the operator: a pipeline that needs a kind of child which the operator cannot list or watch is left
//! unchanged, and its status reports why. Other pipelines are not affected.

use super::cache::{Cache, SyncState};
use mlpipeline_core::child_kind::ChildKind;
use mlpipeline_core::children::applied_kinds;
use mlpipeline_core::pipeline::ValidatedPipeline;
use mlpipeline_core::status::Problem;

/// The problem of a pipeline, where the API server denies access to a kind of object that it needs.
#[must_use]
pub(super) fn missing_permission(cache: &Cache, pipeline: &ValidatedPipeline) -> Option<Problem> {
    cache.not_synced().into_iter().filter(|state| is_needed(state, pipeline)).find_map(|state| {
        let SyncState { resource, access_denied, .. } = state;
        Some(Problem {
            reason: "Forbidden".to_owned(),
            message: format!(
                "the operator is not allowed to list or watch {resource}, so nothing is changed: {}; allow list and watch of \
                 {resource} in the operator's Role (deploy/config/rbac/operator-role.yaml)",
                access_denied?
            ),
            transient: false,
        })
    })
}

fn is_needed(state: &SyncState, pipeline: &ValidatedPipeline) -> bool {
    match state.child {
        // Every pipeline reads its runs, their pods and its volume.
        None | Some(ChildKind::Job | ChildKind::PersistentVolumeClaim) => true,
        Some(kind) => pipeline.steps.iter().any(|step| applied_kinds(pipeline, step).contains(&kind)),
    }
}
