//! Models: which of them passed the gate, and which one a reader gets.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mlpipeline_crds::{GateVerdict, Revision, StepReport};

use super::decide::Context;
use super::inputs::{Supply, age, result_of};
use super::{Decision, Schedules, StepPlan};
use crate::core::observed::{Observed, ObservedRun};
use crate::core::pipeline::{ValidAction, ValidStep, ValidatedPipeline};

/// One trained model and what the gate says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelVerdict {
    /// The train step.
    pub step: String,
    /// The model's revision.
    pub revision: Revision,
    /// The gate's verdict; a step without gate passes every model.
    pub verdict: GateVerdict,
    /// What training measured.
    pub metrics: BTreeMap<String, f64>,
    /// The model's digest.
    pub digest: Option<String>,
    /// When training ended.
    pub trained: Option<Timestamp>,
    /// Whether pods serve it.
    pub serving: bool,
}

/// All models of a pipeline that are known, newest first.
#[must_use]
pub fn models(pipeline: &ValidatedPipeline, observed: &Observed) -> Vec<ModelVerdict> {
    let mut found: Vec<ModelVerdict> = Vec::new();
    for step in &pipeline.steps {
        let ValidAction::Train(_) = step.action else { continue };
        let serving = served(pipeline, observed, &step.name);
        for run in newest_first(observed, step) {
            let (Some(revision), Some(report)) = (result_of(run), run.report.as_ref()) else { continue };
            if found.iter().any(|model| model.step == step.name && model.revision == revision) {
                continue;
            }
            found.push(ModelVerdict {
                step: step.name.clone(),
                verdict: judge(step, report),
                metrics: report.metrics.clone(),
                digest: report.digest.as_ref().map(|digest| digest.as_str().to_owned()),
                trained: run.finished,
                serving: serving.contains(&revision),
                revision,
            });
        }
    }
    found.sort_by_key(|model| std::cmp::Reverse(model.trained));
    found
}

/// Judges a report by the gate as the spec has it now, so that editing a gate trains nothing.
pub(super) fn judge(step: &ValidStep, report: &StepReport) -> GateVerdict {
    let gate = match &step.action {
        ValidAction::Train(train) => train.gate.as_ref(),
        _ => None,
    };
    match gate {
        Some(gate) => gate.judge(&report.metrics, report.baseline.as_ref().map(|baseline| &baseline.metrics)),
        None => GateVerdict { passed: true, message: "there is no gate".to_owned() },
    }
}

/// The model that a reader gets. One that passed its gate and is the newest; and while there is none of the spec as it is
/// now, readers that must not stop (what serves, what runs by schedule) keep the one before.
pub(super) fn supply(
    context: &Context<'_>,
    reader: &ValidStep,
    train: &ValidStep,
    planned: &StepPlan,
) -> Supply {
    let name = &train.name;
    let scheduled = |step: &ValidStep| step.schedule.is_some() && context.schedules == Schedules::Keep;
    let keeps_the_old = reader.is_long_running() || scheduled(reader) || scheduled(train);
    let before = || earlier(context, reader, train);
    match planned.decision {
        Decision::Done if planned.revision.is_some() => {
            planned.revision.clone().map_or_else(|| Supply::Missing(planned.reason.clone()), Supply::Ready)
        }
        Decision::Refused => before().map_or_else(
            || Supply::Missing(format!("the model of {name} was refused: {}", planned.reason)),
            Supply::Ready,
        ),
        Decision::Done | Decision::Run | Decision::Running | Decision::Wait => {
            let kept = if keeps_the_old { before() } else { None };
            let revision = if scheduled(train) { None } else { planned.revision.clone() };
            kept.map_or_else(
                || Supply::Coming { revision, reason: format!("waits for {name}") },
                Supply::Ready,
            )
        }
        Decision::Failed | Decision::Blocked => {
            let kept = if keeps_the_old { before() } else { None };
            let word = if planned.decision == Decision::Failed { "failed" } else { "is blocked" };
            kept.map_or_else(|| Supply::Missing(format!("{name} {word}")), Supply::Ready)
        }
    }
}

/// The model to keep using: what the reader serves now, else the newest other model that passed.
fn earlier(context: &Context<'_>, reader: &ValidStep, train: &ValidStep) -> Option<Revision> {
    let own = context.observed.steps.get(&reader.name).and_then(|step| step.live.as_ref());
    let serving = own.and_then(|live| live.model.clone());
    serving.or_else(|| {
        newest_first(context.observed, train).into_iter().find(|run| passed(train, run)).and_then(result_of)
    })
}

/// The model that a new one is compared with: the one that is served, else the newest that passed.
pub(super) fn baseline(context: &Context<'_>, train: &ValidStep, key: &Revision) -> Option<Revision> {
    let serving = served(context.pipeline, context.observed, &train.name).into_iter().next();
    let newest = || {
        newest_first(context.observed, train).into_iter().find(|run| passed(train, run)).and_then(result_of)
    };
    serving.or_else(newest).filter(|revision| revision != key)
}

/// Whether a run brought a model that passes the gate.
pub(super) fn passed(train: &ValidStep, run: &ObservedRun) -> bool {
    result_of(run).is_some() && run.report.as_ref().is_some_and(|report| judge(train, report).passed)
}

/// The models of a train step that pods serve.
pub(super) fn served(pipeline: &ValidatedPipeline, observed: &Observed, train: &str) -> Vec<Revision> {
    let readers = pipeline.steps.iter().filter(|step| {
        step.is_long_running() && step.reads().iter().any(|read| read.is_model && read.step == train)
    });
    readers.filter_map(|reader| observed.steps.get(&reader.name)?.live.as_ref()?.model.clone()).collect()
}

fn newest_first<'a>(observed: &'a Observed, step: &ValidStep) -> Vec<&'a ObservedRun> {
    let mut runs: Vec<&ObservedRun> =
        observed.steps.get(&step.name).map(|step| step.runs.iter().collect()).unwrap_or_default();
    runs.sort_by(|left, right| age(right).cmp(&age(left)));
    runs
}
