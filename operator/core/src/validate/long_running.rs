//! Whether a step, as it is written, ends.

use mlpipeline_crds::{Step, Workload};

/// Whether a step is long-running rather than one that runs to completion.
pub(super) fn is_long_running(step: &Step) -> bool {
    step.serve.is_some()
        || step.prepare.as_ref().is_some_and(|prepare| prepare.continuous.is_some())
        || step.run.as_ref().is_some_and(|run| run.workload.unwrap_or_default() != Workload::Job)
}
