//! What a run or a pod does, with every reference resolved to a folder on storage.

use std::collections::BTreeMap;

use mlpipeline_crds::{
    Action, BaselineModel, ContinuousStep, DataReference, DataSource, Delivery, Output, PUBLISHED_FOLDER,
    Prepare, PrepareInput, PrepareStep, Revision, RevisionRule, STEP_SPEC_VERSION, ScoreStep, ServeStep,
    StepSpec, TrainStep,
};

use super::context::Context;
use super::shape::Shape;
use super::work::{RunWork, Task};
use super::{history, model};
use crate::artifact_place::ArtifactPlace;
use crate::credentials;
use crate::duration::parse_duration;
use crate::execution_settings::ExecutionSettings;
use crate::fingerprint::Fingerprint;
use crate::format::output_format;
use crate::piece::Piece;
use crate::pipeline::{ValidAction, ValidStep, ValidatedPipeline};

/// How long a continuous step waits between two polls when its spec does not say.
const DEFAULT_POLL_SECONDS: u32 = 5;

/// The work of one run.
pub(super) fn run(
    context: &Context<'_>,
    step: &ValidStep,
    fingerprint: Fingerprint,
    piece: Piece,
    attempt: u32,
    by_content: bool,
) -> RunWork {
    let key = fingerprint.key();
    let rule =
        if by_content { RevisionRule::ByContent(key.clone()) } else { RevisionRule::Fixed(key.clone()) };
    let task = task(context, step, &fingerprint, rule);
    let settings = ExecutionSettings::of(context.pipeline, step);
    RunWork { key, attempt, piece, fingerprint, settings, shape: Shape::of(step), task }
}

/// What a long-running pod does.
pub(super) fn long_running(context: &Context<'_>, step: &ValidStep, fingerprint: &Fingerprint) -> Task {
    task(context, step, fingerprint, RevisionRule::Fixed(fingerprint.key()))
}

fn task(context: &Context<'_>, step: &ValidStep, fingerprint: &Fingerprint, rule: RevisionRule) -> Task {
    let pipeline = context.pipeline;
    let (RevisionRule::Fixed(key) | RevisionRule::ByContent(key)) = &rule;
    let folders = Folders { pipeline, step, inputs: &fingerprint.inputs };
    let Some(action) = action(context, step, key, &folders) else {
        let inputs =
            step.reads().into_iter().filter_map(|read| Some((read.name.clone(), folders.of(&read.name)?)));
        return Task::Container {
            inputs: inputs.collect(),
            output: ArtifactPlace::new(&pipeline.namespace, &pipeline.name, &step.name, key),
        };
    };
    Task::Worker(Box::new(StepSpec {
        version: STEP_SPEC_VERSION,
        namespace: pipeline.namespace.clone(),
        pipeline: pipeline.name.clone(),
        step: step.name.clone(),
        revision: rule.clone(),
        remove: if step.is_long_running() {
            Vec::new()
        } else {
            history::revisions_to_remove(context, step, key)
        },
        action,
    }))
}

/// The action for the worker; `None` for a container of the user's.
fn action(context: &Context<'_>, step: &ValidStep, key: &Revision, folders: &Folders<'_>) -> Option<Action> {
    match &step.action {
        ValidAction::Prepare(prepare) => Some(Action::Prepare(PrepareStep {
            inputs: prepare
                .inputs
                .iter()
                .map(|input| PrepareInput {
                    name: input.name.clone(),
                    source: folders.source(&input.name, &input.reference()),
                })
                .collect(),
            sql: prepare.sql.clone(),
            checks: prepare.checks.clone(),
            format: output_format(prepare.output.as_ref()),
            delivery: delivery(prepare.output.as_ref()),
            continuous: continuous(context.pipeline, prepare),
        })),
        ValidAction::Train(train) => Some(Action::Train(TrainStep {
            data: folders.source("data", &train.data),
            target: train.target.clone(),
            features: train.features.clone(),
            algorithm: train.algorithm.clone(),
            split: train.split.clone(),
            cross_validation: train.cross_validation.clone(),
            gate: train.gate.clone(),
            baseline: model::baseline(context, step, key).map(|revision| BaselineModel {
                path: ArtifactPlace::new(
                    &context.pipeline.namespace,
                    &context.pipeline.name,
                    &step.name,
                    &revision,
                )
                .to_string(),
                revision,
            }),
        })),
        ValidAction::Serve(_) => Some(Action::Serve(ServeStep { model: folders.path("model") })),
        ValidAction::Score(score) => Some(Action::Score(ScoreStep {
            model: folders.path("model"),
            input: folders.source("input", &score.input),
            format: output_format(score.output.as_ref()),
            delivery: delivery(score.output.as_ref()),
        })),
        ValidAction::Run(_) => None,
    }
}

/// Where a result goes beside storage.
fn delivery(output: Option<&Output>) -> Option<Delivery> {
    let output = output?;
    Some(Delivery {
        uri: output.uri.clone()?,
        credentials: output.secret.as_ref().map(|_| credentials::OUTPUT.to_owned()),
        rows_per_request: output.rows_per_request.and_then(|rows| u32::try_from(rows).ok()),
    })
}

/// How a step processes files as they come; `None` for one that has an end.
fn continuous(pipeline: &ValidatedPipeline, prepare: &Prepare) -> Option<ContinuousStep> {
    let seconds = prepare.continuous.as_ref()?.poll_interval.as_deref().and_then(parse_duration);
    Some(ContinuousStep {
        poll_seconds: seconds.and_then(|seconds| u32::try_from(seconds).ok()).unwrap_or(DEFAULT_POLL_SECONDS),
        keep: u32::try_from(pipeline.history).unwrap_or(u32::MAX),
    })
}

/// Finds the folders of what a step reads.
struct Folders<'a> {
    pipeline: &'a ValidatedPipeline,
    step: &'a ValidStep,
    inputs: &'a BTreeMap<String, Revision>,
}

impl Folders<'_> {
    fn of(&self, name: &str) -> Option<ArtifactPlace> {
        let read = self.step.reads().into_iter().find(|read| read.name == name)?;
        Some(ArtifactPlace::new(
            &self.pipeline.namespace,
            &self.pipeline.name,
            &read.step,
            self.inputs.get(name)?,
        ))
    }

    /// The place of what is read under this name, as the worker's step names it. Everything that is read is known by then.
    fn path(&self, name: &str) -> String {
        self.of(name).map(|place| place.to_string()).unwrap_or_default()
    }

    /// The files that a continuous step has published and nobody has taken yet.
    fn published(&self, step: &str) -> DataSource {
        let pipeline = self.pipeline;
        DataSource::Uri {
            uri: format!("file:{}/{}/{step}/{PUBLISHED_FOLDER}/*", pipeline.namespace, pipeline.name),
            format: None,
            columns: Vec::new(),
            pattern: None,
            on_mismatch: None,
            reading: None,
            sha256: None,
            credentials: None,
        }
    }

    fn source(&self, name: &str, reference: &DataReference) -> DataSource {
        match &reference.uri {
            Some(uri) => DataSource::Uri {
                uri: uri.clone(),
                format: reference.format,
                columns: reference.columns.clone(),
                pattern: reference.pattern.clone(),
                on_mismatch: reference.on_mismatch,
                reading: reference.reading.clone(),
                sha256: reference.sha256.clone(),
                credentials: reference.secret.as_ref().map(|_| credentials::of_input(name)),
            },
            None => match reference.step.as_deref().filter(|step| self.step.watches() == Some(step)) {
                Some(step) => self.published(step),
                None => DataSource::Artifact { path: self.path(name) },
            },
        }
    }
}
