//! Which lasting children nobody wants any more. Pure.

use mlpipeline_crds::Workload;

use super::desired::Desired;
use crate::cache::Found;
use crate::cache::kind::Kind;
use crate::observe::{View, is_controlled_by};
use mlpipeline_core::labels::label;
use mlpipeline_core::pipeline::{ValidAction, ValidStep, ValidatedPipeline};
use mlpipeline_core::plan::Plan;

/// Children to delete: of steps that are gone, of kinds that their step can no longer have, and those that a step which
/// knows its work does not list. A step without work keeps what it has, so that what serves goes on serving. Claims hold
/// data and are never among them.
pub(super) fn orphans<'a>(
    pipeline: &ValidatedPipeline,
    plan: &Plan,
    wanted: &[Desired],
    view: &'a View,
) -> Vec<&'a Found> {
    let is_orphan = |found: &&Found| {
        let metadata = found.metadata();
        let step_name = metadata.labels.as_ref().and_then(|labels| labels.get(label::STEP));
        let Some(step_name) = step_name.filter(|_| found.kind != Kind::Claim) else { return false };
        if metadata.deletion_timestamp.is_some() || !is_controlled_by(metadata, &pipeline.uid) {
            return false;
        }
        let Some(step) = pipeline.step(step_name) else { return true };
        let is_listed = wanted
            .iter()
            .any(|desired| desired.kind == found.kind && Some(&desired.name) == metadata.name.as_ref());
        let knows_its_work = plan.step(step_name).is_some_and(|plan| plan.work.is_some());
        // What was applied a moment ago is wanted, whatever else is believed of its step.
        !is_listed && (knows_its_work || !kinds(step).contains(&found.kind))
    };
    view.applied.iter().filter(is_orphan).collect()
}

/// The kinds of lasting children that a step can have.
pub(crate) fn kinds(step: &ValidStep) -> &'static [Kind] {
    match &step.action {
        ValidAction::Serve(_) => {
            &[Kind::Deployment, Kind::Service, Kind::Autoscaler, Kind::Budget, Kind::Ingress]
        }
        ValidAction::Run(run) => match run.workload.unwrap_or_default() {
            Workload::Deployment => &[Kind::Deployment, Kind::Service],
            Workload::StatefulSet => &[Kind::StatefulSet, Kind::Service],
            Workload::DaemonSet => &[Kind::DaemonSet, Kind::Service],
            Workload::Job => by_schedule(step),
        },
        _ if step.is_long_running() => &[Kind::Deployment],
        _ => by_schedule(step),
    }
}

fn by_schedule(step: &ValidStep) -> &'static [Kind] {
    if step.schedule.is_some() { &[Kind::CronJob] } else { &[] }
}
