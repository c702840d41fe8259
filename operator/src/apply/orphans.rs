//! Which applied children no step wants any more. Pure.

use super::desired::Desired;
use crate::cache::Found;
use crate::observe::{View, is_controlled_by};
use mlpipeline_core::child_kind::ChildKind;
use mlpipeline_core::children::applied_kinds;
use mlpipeline_core::labels::label;
use mlpipeline_core::pipeline::ValidatedPipeline;
use mlpipeline_core::plan::Plan;

/// Children to delete: of steps that are gone, of kinds that their step's spec no longer asks for, and those that a step with known work
/// does not list. A step without work keeps what it has, so that a model that serves keeps serving. Claims hold data and are never
/// deleted.
pub(super) fn orphans<'a>(
    pipeline: &ValidatedPipeline,
    plan: &Plan,
    wanted: &[Desired],
    view: &'a View,
) -> Vec<&'a Found> {
    let is_orphan = |found: &&Found| {
        let metadata = found.metadata();
        let step_name = metadata.labels.as_ref().and_then(|labels| labels.get(label::STEP));
        let may_be_deleted = found.kind != ChildKind::PersistentVolumeClaim;
        let Some(step_name) = step_name.filter(|_| may_be_deleted) else { return false };
        if metadata.deletion_timestamp.is_some() || !is_controlled_by(metadata, &pipeline.uid) {
            return false;
        }
        let Some(step) = pipeline.step(step_name) else { return true };
        let is_listed = wanted
            .iter()
            .any(|desired| desired.kind == found.kind && Some(&desired.name) == metadata.name.as_ref());
        let has_known_work = plan.step(step_name).is_some_and(|plan| plan.work.is_some());
        // What was just applied is wanted, whatever else is known of its step.
        !is_listed && (has_known_work || !applied_kinds(pipeline, step).contains(&found.kind))
    };
    view.applied.iter().filter(is_orphan).collect()
}
