//! The decision to start a run, or to wait since something is suspended.

use super::context::{Context, entry, is_suspended};
use super::step_plan::StepPlan;
use super::task;
use super::work::Work;
use crate::decision::Decision;
use crate::fingerprint::Fingerprint;
use crate::piece::Piece;
use crate::pipeline::ValidStep;
use crate::reason::Reason;

/// Starts a run, unless the pipeline is suspended.
pub(super) fn start(
    context: &Context<'_>,
    step: &ValidStep,
    fingerprint: Fingerprint,
    piece: Piece,
    attempt: u32,
    reason: Reason,
) -> StepPlan {
    if context.pipeline.suspend {
        return entry(step, Decision::Wait, Reason::Suspended);
    }
    if is_suspended(step) {
        return entry(step, Decision::Wait, Reason::ScheduleSuspended);
    }
    let work = Work::Once(task::run(context, step, fingerprint, piece, attempt, step.schedule.is_some()));
    StepPlan { work: Some(work), ..entry(step, Decision::Run, reason) }
}
