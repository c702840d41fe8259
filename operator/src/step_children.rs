//! Which kinds of applied children a step can have. Pure.

use mlpipeline_core::child_kind::ChildKind;
use mlpipeline_core::pipeline::ValidStep;
use mlpipeline_crds::Workload;

/// The kinds of applied children that a step can have. The claim belongs to the pipeline and not to a step.
pub(super) fn applied_kinds(step: &ValidStep) -> Vec<ChildKind> {
    let own = match step.workload() {
        Workload::Deployment => Some(ChildKind::Deployment),
        Workload::StatefulSet => Some(ChildKind::StatefulSet),
        Workload::DaemonSet => Some(ChildKind::DaemonSet),
        Workload::Job => step.schedule.as_ref().map(|_| ChildKind::CronJob),
    };
    own.into_iter().chain(step.action.descriptor().companions()).collect()
}
