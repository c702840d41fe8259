//! Whether a step, as it is written, ends.

use mlpipeline_crds::Step;

use crate::step_kind::ValidAction;

/// Whether a step is long-running rather than one that runs to completion.
pub(super) fn is_long_running(step: &Step) -> bool {
    ValidAction::of(step).is_some_and(|action| action.descriptor().workload().is_long_running())
}
