//! One line of the status a step.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use mlpipeline_crds::{StepState, StepStatus, Workload};

use super::conditions::{shorten, whole_seconds};
use crate::names;
use crate::observed::Observed;
use crate::pipeline::{ValidAction, ValidStep, ValidatedPipeline};
use crate::plan::{Decision, StepPlan};

/// The longest message of a step, in characters.
const MESSAGE_LIMIT: usize = 1024;
/// How many metrics of a step are listed.
const METRIC_LIMIT: usize = 32;

/// What is true of one step.
pub(super) fn step_status(pipeline: &ValidatedPipeline, observed: &Observed, plan: &StepPlan) -> StepStatus {
    let found = observed.steps.get(&plan.name);
    let run = found.and_then(|step| step.runs.iter().find(|run| Some(&run.name) == plan.run.as_ref()));
    let report = run.and_then(|run| run.report.as_ref());
    let step = pipeline.step(&plan.name);
    let long_running = step.is_some_and(ValidStep::is_long_running);
    StepStatus {
        name: plan.name.clone(),
        kind: plan.kind,
        state: state(pipeline, plan, long_running),
        revision: plan.revision.as_ref().map(ToString::to_string),
        workload: step.and_then(|step| workload(pipeline, step, plan)),
        started: run.and_then(|run| run.started).map(|time| Time(whole_seconds(time))),
        finished: run.and_then(|run| run.finished).map(|time| Time(whole_seconds(time))),
        attempts: run.map(|run| i32::try_from(run.pods).unwrap_or(i32::MAX)).filter(|pods| *pods > 0),
        message: Some(shorten(&plan.reason, MESSAGE_LIMIT)),
        metrics: report.map(|report| bounded_metrics(&report.metrics)).unwrap_or_default(),
    }
}

fn state(pipeline: &ValidatedPipeline, plan: &StepPlan, long_running: bool) -> StepState {
    match plan.decision {
        Decision::Done if long_running => StepState::Serving,
        Decision::Done => StepState::Done,
        Decision::Run | Decision::Running => StepState::Running,
        Decision::Wait if pipeline.suspend => StepState::Suspended,
        Decision::Wait => StepState::Waiting,
        Decision::Blocked => StepState::Blocked,
        Decision::Rejected => StepState::Rejected,
        Decision::Failed => StepState::Failed,
    }
}

/// The object that does the work, as kubectl names it.
fn workload(pipeline: &ValidatedPipeline, step: &ValidStep, plan: &StepPlan) -> Option<String> {
    let object = names::step_object(&pipeline.name, &step.name);
    match &step.action {
        ValidAction::Serve(_) => Some(format!("Deployment/{object}")),
        ValidAction::Prepare(prepare) if prepare.continuous.is_some() => Some(format!("Deployment/{object}")),
        ValidAction::Run(run) => match run.workload.unwrap_or_default() {
            Workload::Job => job(pipeline, step, plan),
            Workload::Deployment => Some(format!("Deployment/{object}")),
            Workload::StatefulSet => Some(format!("StatefulSet/{object}")),
            Workload::DaemonSet => Some(format!("DaemonSet/{object}")),
        },
        _ if step.is_long_running() => Some(format!("Deployment/{object}")),
        _ => job(pipeline, step, plan),
    }
}

fn job(pipeline: &ValidatedPipeline, step: &ValidStep, plan: &StepPlan) -> Option<String> {
    match (&plan.run, &step.schedule) {
        (Some(run), _) => Some(format!("Job/{run}")),
        (None, Some(_)) => {
            Some(format!("CronJob/{}", names::cron_job(&pipeline.name, &step.name, step.is_indexed())))
        }
        (None, None) => None,
    }
}

/// The first metrics by name, those that are numbers.
pub(super) fn bounded_metrics(metrics: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    metrics
        .iter()
        .filter(|(_, value)| value.is_finite())
        .take(METRIC_LIMIT)
        .map(|(name, value)| (name.clone(), *value))
        .collect()
}
