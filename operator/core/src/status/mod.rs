//! What to say of a pipeline: a summary of the plan for people, for `kubectl wait`, for Argo CD and Flux.
//!
//! A function of the plan, of what was observed, of the status before and of now. Nothing reads the status to decide what runs. What was
//! reported before and is nowhere else any more is carried over: times, what a run waited for last, a served model whose run is gone,
//! how many runs were replaced.

pub mod conditions;
mod endpoint;
mod held;
mod last_wait;
mod models;
mod removed_runs;
mod replaced_runs;
mod serving;
mod steps;
mod times;

use std::collections::BTreeSet;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use mlpipeline_crds::MLPipelineStatus;

use self::conditions::{READY, RECONCILING, STALLED, SUSPENDED, Statement, whole_seconds};

pub use self::held::{held, invalid};
use super::observed::{Observed, PodIssue};
use super::pipeline::ValidatedPipeline;
use super::plan::{Decision, Plan, Reason, StepPlan, Work};
use super::reason::{condition, general};

/// A problem that the operator met while it applied children: "the API server rejected Job iris-train-…: …".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The kind in CamelCase: "QuotaExceeded".
    pub reason: String,
    /// What happened to which object, and what to do.
    pub message: String,
    /// Whether trying again could help.
    pub transient: bool,
}

/// The status of a pipeline that makes sense.
#[must_use]
pub fn status(
    pipeline: &ValidatedPipeline,
    plan: &Plan,
    observed: &Observed,
    problem: Option<&Problem>,
    previous: Option<&MLPipelineStatus>,
    now: Timestamp,
) -> MLPipelineStatus {
    let plan = &*last_wait::with_last_wait(plan, previous);
    let plan = &*removed_runs::with_removed_runs(plan, observed, previous);
    let replaced = replaced_runs::replaced_runs(pipeline, observed, previous);
    let plan = &*replaced_runs::with_replaced_runs(pipeline, plan, &replaced);
    let known = models::models(pipeline, observed, previous);
    let not_grown = not_grown(observed, now).filter(|_| !has_stuck_step(plan));
    let problem = problem.or(not_grown.as_ref());
    let done = satisfied(pipeline, plan).len();
    let model = known.iter().find(|model| model.serving).or_else(|| known.first());
    let before = previous.map(|status| status.conditions.as_slice()).unwrap_or_default();
    let statements = statements(pipeline, plan, observed, problem);
    let only_serving = endpoint::only_serving_step(pipeline);
    let found = only_serving.and_then(|step| observed.steps.get(&step.name)?.long_running.as_ref());
    let mut status = MLPipelineStatus {
        observed_generation: pipeline.generation,
        conditions: conditions::conditions(statements, before, pipeline.generation, now),
        progress: Some(format!("{done}/{}", plan.steps.len())),
        model: model.map(|model| model.revision.clone()),
        score: model.and_then(|model| models::score(pipeline, model)),
        endpoint: endpoint::endpoint(pipeline, observed),
        next_run: plan.next_run().map(|time| Time(whole_seconds(time))),
        replicas: found.map(|found| found.ready),
        selector: only_serving.map(|step| endpoint::selector(pipeline, step)),
        steps: plan.steps.iter().map(|step| steps::step_status(pipeline, observed, step)).collect(),
        models: known,
    };
    for step in &mut status.steps {
        step.replaced_runs = replaced.get(&step.name).copied();
    }
    if let Some(previous) = previous {
        times::keep(previous, &mut status);
    }
    status
}

/// Whether a step cannot continue: that is said before anything that hinders no step.
#[must_use]
pub fn has_stuck_step(plan: &Plan) -> bool {
    let stuck =
        |step: &StepPlan| matches!(step.decision, Decision::Failed | Decision::Rejected | Decision::Blocked);
    plan.steps.iter().any(stuck)
}

/// A volume that is smaller than the spec asks for, while all else is as it asks: what grows volumes does not do it.
fn not_grown(observed: &Observed, now: Timestamp) -> Option<Problem> {
    let overdue = observed.volume_not_grown.as_ref().filter(|overdue| overdue.from <= now)?;
    let PodIssue { reason, message } = overdue.pod_issue.clone();
    Some(Problem { reason, message, transient: false })
}

/// The steps that ask for nothing more: they are done, or a schedule takes care of them, their own or that of what they read.
fn satisfied<'a>(pipeline: &ValidatedPipeline, plan: &'a Plan) -> BTreeSet<&'a str> {
    let mut satisfied = BTreeSet::new();
    // The plan has each step after those that it reads.
    for step in &plan.steps {
        let is_set_up = matches!(step.work, Some(Work::Scheduled { .. }));
        let is_satisfied = match step.decision {
            _ if matches!(step.reason, Reason::ScheduleHeldUp { .. } | Reason::RunsReplaced { .. }) => false,
            Decision::Done => true,
            Decision::Wait | Decision::Running if is_set_up => true,
            // A step without a schedule is not satisfied by one: it was asked for now.
            Decision::Wait => pipeline.step(&step.name).is_some_and(|valid| {
                valid.schedule.is_some()
                    && valid.follows().iter().all(|name| satisfied.contains(name.as_str()))
            }),
            Decision::Running | Decision::Run | Decision::Blocked | Decision::Rejected | Decision::Failed => {
                false
            }
        };
        if is_satisfied {
            satisfied.insert(step.name.as_str());
        }
    }
    satisfied
}

/// What stands in the way, worst first.
fn statements(
    pipeline: &ValidatedPipeline,
    plan: &Plan,
    observed: &Observed,
    problem: Option<&Problem>,
) -> Vec<Statement> {
    let mut statements = progress_statements(pipeline, plan, observed, problem);
    statements.extend(serving::statement(plan, observed));
    statements.push(suspended(pipeline.suspend));
    statements
}

/// Whether the pipeline is held back by `suspend`.
fn suspended(suspend: bool) -> Statement {
    let (reason, message) = match suspend {
        true => (general::SUSPENDED, general::UNTIL_RESUMED),
        false => ("NotSuspended", "spec.suspend is not set"),
    };
    statement(SUSPENDED, suspend, reason, message)
}

fn progress_statements(
    pipeline: &ValidatedPipeline,
    plan: &Plan,
    observed: &Observed,
    problem: Option<&Problem>,
) -> Vec<Statement> {
    let all = |reconciling: bool, stalled: bool, ready: bool, reason: &str, message: &str| {
        let idle = if ready { general::DONE } else { reason };
        vec![
            statement(RECONCILING, reconciling, if reconciling { reason } else { idle }, message),
            statement(
                STALLED,
                stalled,
                if stalled { reason } else { "NotStalled" },
                if stalled { message } else { "" },
            ),
            statement(READY, ready, reason, message),
        ]
    };
    if let Some(problem) = problem {
        return all(problem.transient, !problem.transient, false, &problem.reason, &problem.message);
    }
    let failed =
        plan.steps.iter().find(|step| matches!(step.decision, Decision::Failed | Decision::Rejected));
    if let Some(step) = failed {
        let reason = condition(step.decision, &step.reason);
        return all(false, true, false, reason, &format!("{}: {}", step.name, step.reason));
    }
    let satisfied = satisfied(pipeline, plan);
    if pipeline.suspend {
        // What is done stays done; what an edit asks for meanwhile is not.
        let ready = satisfied.len() == plan.steps.len();
        return all(false, false, ready, general::SUSPENDED, "held back by spec.suspend");
    }
    let open = plan.steps.iter().filter(|step| !satisfied.contains(step.name.as_str()));
    let unsatisfied = open.min_by_key(|step| match step.decision {
        Decision::Blocked => 0,
        Decision::Running | Decision::Run => 1,
        _ => 2,
    });
    match unsatisfied {
        None => {
            // Pods of a step that is scaled to zero answer nobody.
            let answers = |step: &StepPlan| {
                let found = observed.steps.get(&step.name).and_then(|found| found.long_running.as_ref());
                matches!(step.work, Some(Work::LongRunning(_))) && found.is_some_and(|found| found.ready > 0)
            };
            let (reason, message) = if plan.steps.iter().any(answers) {
                (general::SERVING, "all steps are done, and pods answer")
            } else {
                (general::DONE, "all steps are done")
            };
            all(false, false, true, reason, message)
        }
        Some(step) => {
            let is_blocked = step.decision == Decision::Blocked;
            let reason = condition(step.decision, &step.reason);
            all(!is_blocked, is_blocked, false, reason, &format!("{}: {}", step.name, step.reason))
        }
    }
}

fn statement(kind: &'static str, holds: bool, reason: &str, message: &str) -> Statement {
    Statement { kind, holds: Some(holds), reason: reason.to_owned(), message: message.to_owned() }
}
