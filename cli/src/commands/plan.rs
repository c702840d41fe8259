//! `plan`: what would run, and why, before anything does.

use jiff::Timestamp;
use mlpipeline_core::observed::Observed;
use mlpipeline_core::pipeline::ValidatedPipeline;
use mlpipeline_core::plan::{Decision, Plan, PodImage, Reason, Schedules, StepPlan, Work, plan, pod_images};
use mlpipeline_core::reason::action;
use serde_json::{Value, json};

use super::source;
use crate::args::{Output, PlanArguments};
use crate::exit_status::ExitStatus;
use crate::show::{self, Cell, Tone};
use crate::state::{ForeignEntry, Phase, Records, Store, observed};

/// Plans against the local state or a cluster, and prints what came out.
pub fn run(arguments: &PlanArguments) -> ExitStatus {
    let (pipeline, found) = match source::open(&arguments.source) {
        Ok(found) => found,
        Err(status) => return status,
    };
    let (planned, images) = match found {
        Some(mut observed) => {
            observed.default_image.clone_from(&arguments.worker_image);
            let planned = plan_now(&pipeline, &observed, Schedules::Keep);
            let images = pod_images(&pipeline, &planned, &observed);
            (planned, Some(images))
        }
        None => match plan_here(arguments, &pipeline) {
            Ok(planned) => (planned, None),
            Err(refused) => {
                show::error(&refused.to_string());
                return ExitStatus::Failure;
            }
        },
    };
    print(arguments, &pipeline, &planned, images.as_deref())
}

/// Plans against the local state.
///
/// # Errors
/// When the data folder holds what it must not.
fn plan_here(arguments: &PlanArguments, pipeline: &ValidatedPipeline) -> Result<Plan, ForeignEntry> {
    let schedules = if arguments.source.place.on_schedule { Schedules::Keep } else { Schedules::RunOnce };
    let store = Store::of(&arguments.source.place.data_dir, pipeline);
    store.check()?;
    let is_running = store.is_running();
    let mut planned = plan_now(pipeline, &observed(&store.records(is_running)), schedules);
    if !is_running {
        mark_failures(&mut planned, &store.records(true));
    }
    mark_long_running(pipeline, &mut planned);
    Ok(planned)
}

/// Prints a plan; the exit status shows whether it would change anything where the caller asked for that.
fn print(
    arguments: &PlanArguments,
    pipeline: &ValidatedPipeline,
    planned: &Plan,
    images: Option<&[PodImage]>,
) -> ExitStatus {
    let is_change = |step: &StepPlan| {
        step.decision == Decision::Run && (arguments.source.cluster || !is_long_running(pipeline, &step.name))
    };
    let would_run = planned.steps.iter().any(is_change);
    if arguments.source.files.output == Some(Output::Json) {
        let mut printed = as_json(pipeline, planned, would_run);
        if let Some(images) = images {
            printed["images"] = images.iter().map(image).collect();
        }
        show::json(&printed);
    } else {
        show::table(
            &["STEP", "KIND", "ACTION", "REVISION", "REASON"],
            planned.steps.iter().map(row).collect(),
        );
        for image in images.into_iter().flatten().filter(|_| arguments.worker_image.is_some()) {
            show::note(&image.to_string());
        }
    }
    if would_run && arguments.exit_code { ExitStatus::WouldRun } else { ExitStatus::Success }
}

fn image(image: &PodImage) -> Value {
    json!({
        "step": image.step,
        "found": image.found,
        "next": image.next,
        "keeps": image.keeps,
        "message": image.to_string(),
    })
}

/// Plans against whatever was observed, here or in a cluster.
fn plan_now(pipeline: &ValidatedPipeline, observed: &Observed, schedules: Schedules) -> Plan {
    plan(pipeline, observed, Timestamp::now(), schedules)
}

fn is_long_running(pipeline: &ValidatedPipeline, step: &str) -> bool {
    pipeline.step(step).is_some_and(|step| step.is_long_running())
}

/// Marks long-running steps: on a laptop they run while `local` does, so starting them is not a change.
fn mark_long_running(pipeline: &ValidatedPipeline, plan: &mut Plan) {
    for step in plan
        .steps
        .iter_mut()
        .filter(|step| step.decision == Decision::Run && is_long_running(pipeline, &step.name))
    {
        step.reason = Reason::RunsWithLocal;
    }
}

/// Adds to steps that failed before, and would be tried again, how they failed.
fn mark_failures(plan: &mut Plan, records: &Records) {
    for step in &mut plan.steps {
        let Some(Work::Once(work)) = &step.work else { continue };
        let failed = records.get(&step.name).into_iter().flatten().filter(|record| record.key == work.key);
        let newest = failed.max_by_key(|record| record.finished);
        if let Some(Phase::Failed { message, .. }) = newest.map(|record| &record.phase) {
            step.reason = Reason::FailedBefore { message: message.clone() };
        }
    }
}

fn row(step: &StepPlan) -> Vec<Cell> {
    let tone = match step.decision {
        Decision::Done => Tone::Good,
        Decision::Run | Decision::Running => Tone::Busy,
        Decision::Wait => Tone::Quiet,
        Decision::Blocked | Decision::Rejected => Tone::Warning,
        Decision::Failed => Tone::Bad,
    };
    vec![
        Cell::plain(&step.name),
        Cell::plain(step.kind.name()),
        Cell::toned(action(step.decision), tone),
        Cell::plain(step.revision.as_ref().map_or("-", |revision| revision.as_str())),
        Cell::plain(step.reason.to_string()),
    ]
}

fn as_json(pipeline: &ValidatedPipeline, plan: &Plan, would_run: bool) -> Value {
    let step = |step: &StepPlan| {
        json!({
            "name": step.name,
            "kind": step.kind,
            "action": action(step.decision),
            "code": step.reason.code(),
            "reason": step.reason.to_string(),
            "revision": step.revision,
            "nextRun": step.next_run,
        })
    };
    json!({
        "namespace": pipeline.namespace,
        "pipeline": pipeline.name,
        "changes": would_run,
        "steps": plan.steps.iter().map(step).collect::<Vec<_>>(),
    })
}
