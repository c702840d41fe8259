//! Which of the ways to decide a step takes: [`super::long_running`] for long-running ones, [`super::scheduled`] for those that
//! run at the times of a schedule, [`super::once`] for all others.

use super::context::Context;
use super::inputs::Inputs;
use super::step_plan::StepPlan;
use super::{long_running, once, scheduled};
use crate::pipeline::ValidStep;

/// Decides what to do about one step.
pub(super) fn decide(context: &Context<'_>, step: &ValidStep) -> StepPlan {
    let inputs = Inputs::of(context, step);
    if step.is_long_running() {
        return long_running::decide(context, step, &inputs);
    }
    if context.keeps_schedule(step) {
        scheduled::decide(context, step, &inputs)
    } else {
        once::decide(context, step, &inputs)
    }
}
