//! One line of the status a step.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use mlpipeline_crds::{METRIC_LIMIT, StepStatus, bounded_metrics};

use super::conditions::{MESSAGE_LIMIT, shorten, whole_seconds};
use crate::child_kind::ChildKind;
use crate::names;
use crate::observed::Observed;
use crate::pipeline::{ValidStep, ValidatedPipeline};
use crate::plan::{Decision, StepPlan};

/// What is true of one step.
pub(super) fn step_status(pipeline: &ValidatedPipeline, observed: &Observed, plan: &StepPlan) -> StepStatus {
    let found = observed.steps.get(&plan.name);
    let run = found.and_then(|step| step.runs.iter().find(|run| Some(&run.name) == plan.run.as_ref()));
    let report = run.and_then(|run| run.report.as_ref());
    let step = pipeline.step(&plan.name);
    // What its run found worth knowing is no reason, and is kept beside it.
    let note =
        report.and_then(|report| report.message.as_deref()).filter(|_| plan.decision == Decision::Done);
    let message = match note {
        Some(note) => format!("{}; {note}", plan.reason),
        None => plan.reason.to_string(),
    };
    let long_running = step.is_some_and(ValidStep::is_long_running);
    StepStatus {
        name: plan.name.clone(),
        kind: plan.kind,
        state: plan.decision.state(long_running, pipeline.suspend),
        revision: plan.revision.as_ref().map(ToString::to_string),
        workload: step.and_then(|step| workload(pipeline, step, plan)),
        started: run.and_then(|run| run.started).map(|time| Time(whole_seconds(time))),
        finished: run.and_then(|run| run.finished).map(|time| Time(whole_seconds(time))),
        attempts: run.map(|run| i32::try_from(run.pods).unwrap_or(i32::MAX)).filter(|pods| *pods > 0),
        replaced_runs: None,
        message: Some(shorten(&message, MESSAGE_LIMIT)),
        metrics: report.map(|report| bounded_metrics(&report.metrics, METRIC_LIMIT)).unwrap_or_default(),
    }
}

/// The object that does the work, as kubectl names it.
fn workload(pipeline: &ValidatedPipeline, step: &ValidStep, plan: &StepPlan) -> Option<String> {
    let Some(kind) = ChildKind::of_workload(step.workload()) else { return job(pipeline, step, plan) };
    Some(format!("{}/{}", kind.kind(), names::step_object(&pipeline.name, &step.name)))
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
