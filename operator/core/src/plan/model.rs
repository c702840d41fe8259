//! Models: which of them passed the gate, and which one a reader gets.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mlpipeline_crds::{Digest, Revision, StepKind, StepReport, Verdict};

use super::context::Context;
use super::runs::{age, read_now, report_of, result_of};
use super::step_plan::StepPlan;
use super::supply::Supply;
use crate::decision::Decision;
use crate::fingerprint::Fingerprint;
use crate::observed::{Observed, ObservedRun};
use crate::pipeline::{ValidStep, ValidatedPipeline};
use crate::reason::Reason;

/// One trained model and what the gate says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelVerdict {
    /// The train step.
    pub step: String,
    /// The model's revision.
    pub revision: Revision,
    /// The gate's verdict; a step without gate passes every model.
    pub verdict: Verdict,
    /// What training measured.
    pub metrics: BTreeMap<String, f64>,
    /// The model's digest.
    pub digest: Option<String>,
    /// When training ended.
    pub trained: Option<Timestamp>,
    /// Whether pods serve it.
    pub serving: bool,
}

/// A model that pods serve, whether its run is known or not.
#[derive(Clone, Debug, PartialEq)]
pub struct ServedModel {
    /// The train step.
    pub step: String,
    /// The model's revision.
    pub revision: Revision,
    /// The digest by which the pods know it.
    pub digest: Option<Digest>,
    /// Whether the pods name that step as where they have it from; those of version 0.1.0 do not.
    pub is_named: bool,
}

/// The models that pods serve at this moment.
#[must_use]
pub fn served_models(pipeline: &ValidatedPipeline, observed: &Observed) -> Vec<ServedModel> {
    let makers = pipeline.steps.iter().filter(|step| step.kind().makes_model());
    makers.flat_map(|step| served(pipeline, observed, &step.name)).collect()
}

/// All models of a pipeline whose runs are known, newest first.
#[must_use]
pub fn models(pipeline: &ValidatedPipeline, observed: &Observed) -> Vec<ModelVerdict> {
    let mut found: Vec<ModelVerdict> = Vec::new();
    for step in &pipeline.steps {
        if !step.kind().makes_model() {
            continue;
        }
        let serving = served(pipeline, observed, &step.name);
        for run in newest_first(observed, step) {
            let (Some(revision), Some(report)) = (result_of(step, run), report_of(run)) else { continue };
            if found.iter().any(|model| model.step == step.name && model.revision == revision) {
                continue;
            }
            found.push(ModelVerdict {
                step: step.name.clone(),
                verdict: judge(step, report),
                metrics: report.metrics.clone(),
                digest: report.digest.as_ref().map(|digest| digest.as_str().to_owned()),
                trained: run.finished,
                serving: serving.iter().any(|served| served.revision == revision),
                revision,
            });
        }
    }
    found.sort_by_key(|model| std::cmp::Reverse(model.trained));
    found
}

/// Judges a report by the gate as the spec has it now, so that editing a gate trains nothing.
pub(super) fn judge(step: &ValidStep, report: &StepReport) -> Verdict {
    let gate = step.action.descriptor().gate();
    match gate {
        Some(gate) => gate.judge(&report.metrics, report.baseline.as_ref()),
        None => Verdict::NoGate,
    }
}

/// The model that a reader gets. One that passed its gate and is the newest; and while there is none of the spec as it is
/// now, readers that must not stop (what serves, what runs by schedule) keep the one before.
pub(super) fn supply(
    context: &Context<'_>,
    reader: &ValidStep,
    input: &str,
    train: &ValidStep,
    planned: &StepPlan,
) -> Supply {
    let step = train.name.clone();
    let scheduled = |step: &ValidStep| context.keeps_schedule(step);
    let keeps_the_old = reader.is_long_running() || scheduled(reader) || scheduled(train);
    let before = || earlier(context, reader, input, train);
    let kept = || if keeps_the_old { before() } else { None };
    let (usable, otherwise) = match planned.decision {
        Decision::Done if planned.revision.is_some() => {
            (planned.revision.clone(), Supply::Missing(planned.reason.clone()))
        }
        Decision::Rejected => {
            let verdict = Box::new(planned.reason.clone());
            (before(), Supply::Missing(Reason::ModelRejected { step, verdict }))
        }
        Decision::Done | Decision::Run | Decision::Running | Decision::Wait => {
            let revision = planned.revision.clone().filter(|_| !scheduled(train));
            (kept(), Supply::Coming { revision, reason: Reason::WaitsFor { step } })
        }
        decision @ (Decision::Failed | Decision::Blocked) => {
            (kept(), Supply::Missing(Reason::InputStopped { step, decision }))
        }
    };
    usable.map_or(otherwise, Supply::Ready)
}

/// The model to keep using: what the reader uses now, else the newest that passed. Of a step that trains by schedule, it is
/// the newer of the two: a model that passed is not left out because the next training has begun or has failed.
fn earlier(context: &Context<'_>, reader: &ValidStep, input: &str, train: &ValidStep) -> Option<Revision> {
    let used = used_now(context, reader, input, train);
    if context.keeps_schedule(train) {
        let runs = newest_first(context.observed, train);
        let newest = runs
            .into_iter()
            .find(|run| passed(train, run) || (used.is_some() && result_of(train, run) == used));
        return newest.and_then(|run| result_of(train, run)).or(used);
    }
    used.or_else(|| newest_passed(context, train))
}

/// The model of a train step that a reader's pods, or the runs of its schedule, use at this moment.
fn used_now(context: &Context<'_>, reader: &ValidStep, input: &str, train: &ValidStep) -> Option<Revision> {
    read_now(context, reader).remove(input).or_else(|| {
        // Pods that do not say which step their model came from: it is this one if its runs know the model.
        let long_running = context.observed.steps.get(&reader.name)?.long_running.as_ref()?;
        let model = long_running.model.clone().filter(|_| long_running.fingerprint.is_none())?;
        let is_known = |run: &ObservedRun| result_of(train, run).as_ref() == Some(&model);
        context.runs(train).iter().any(is_known).then_some(model)
    })
}

/// The model that a new one is compared with: the one that is served, else the newest that passed.
pub(super) fn baseline(context: &Context<'_>, train: &ValidStep, key: &Revision) -> Option<Revision> {
    let serving = readers(context.pipeline, &train.name)
        .find_map(|(reader, input)| used_now(context, reader, &input, train));
    serving.or_else(|| newest_passed(context, train)).filter(|revision| revision != key)
}

fn newest_passed(context: &Context<'_>, train: &ValidStep) -> Option<Revision> {
    let runs = newest_first(context.observed, train);
    runs.into_iter().find(|run| passed(train, run)).and_then(|run| result_of(train, run))
}

/// Whether a run brought a model that passes the gate.
pub(super) fn passed(train: &ValidStep, run: &ObservedRun) -> bool {
    result_of(train, run).is_some() && report_of(run).is_some_and(|report| judge(train, report).passed())
}

/// The models of a train step that pods serve. Pods may still have the model of another step, which they read before an edit.
fn served(pipeline: &ValidatedPipeline, observed: &Observed, train: &str) -> Vec<ServedModel> {
    let mut all = Vec::new();
    for (reader, input) in readers(pipeline, train) {
        let Some(found) = observed.steps.get(&reader.name) else { continue };
        for workload in found.workloads() {
            let source =
                workload.fingerprint.as_ref().map(|fingerprint| fingerprint.sources().remove(&input));
            let is_named = source.as_ref().map(|source| source.as_deref() == Some(train));
            if let Some(revision) = workload.model.clone().filter(|_| is_named != Some(false)) {
                let digest = workload.model_digest.clone();
                let step = train.to_owned();
                all.push(ServedModel { step, revision, digest, is_named: is_named == Some(true) });
            }
        }
    }
    all
}

/// The steps that serve a train step's model all the time, with their name for it.
fn readers<'a>(
    pipeline: &'a ValidatedPipeline,
    train: &'a str,
) -> impl Iterator<Item = (&'a ValidStep, String)> {
    pipeline.steps.iter().filter(|step| step.is_long_running()).filter_map(move |step| {
        let read = step.reads().into_iter().find(|read| read.is_model() && read.step == train)?;
        Some((step, read.name))
    })
}

/// Whether a run could make a model: the step may have been of another kind when it began.
fn could_make_model(run: &ObservedRun) -> bool {
    let makes_model =
        |made: &Fingerprint| StepKind::ALL.into_iter().any(|kind| kind.makes_model() && made.is_of(kind));
    run.fingerprint.as_ref().is_none_or(makes_model)
}

fn newest_first<'a>(observed: &'a Observed, step: &ValidStep) -> Vec<&'a ObservedRun> {
    let mut runs: Vec<&ObservedRun> =
        observed.steps.get(&step.name).map(|step| step.runs.iter().collect()).unwrap_or_default();
    runs.retain(|run| could_make_model(run));
    runs.sort_by(|left, right| age(right).cmp(&age(left)));
    runs
}
