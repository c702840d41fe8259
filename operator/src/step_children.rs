//! Which kinds of applied children a step can have. Pure.

use mlpipeline_core::children::ChildKind;
use mlpipeline_core::pipeline::{ValidAction, ValidStep};
use mlpipeline_crds::Workload;

/// The kinds of applied children that a step can have. The claim belongs to the pipeline and not to a step.
pub(super) fn applied_kinds(step: &ValidStep) -> &'static [ChildKind] {
    match &step.action {
        ValidAction::Serve(_) => &[
            ChildKind::Deployment,
            ChildKind::Service,
            ChildKind::HorizontalPodAutoscaler,
            ChildKind::PodDisruptionBudget,
            ChildKind::Ingress,
        ],
        ValidAction::Run(run) => match run.workload.unwrap_or_default() {
            Workload::Deployment => &[ChildKind::Deployment, ChildKind::Service],
            Workload::StatefulSet => &[ChildKind::StatefulSet, ChildKind::Service],
            Workload::DaemonSet => &[ChildKind::DaemonSet, ChildKind::Service],
            Workload::Job => by_schedule(step),
        },
        _ if step.is_long_running() => &[ChildKind::Deployment],
        _ => by_schedule(step),
    }
}

fn by_schedule(step: &ValidStep) -> &'static [ChildKind] {
    if step.schedule.is_some() { &[ChildKind::CronJob] } else { &[] }
}
