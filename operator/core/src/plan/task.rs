//! What a run or a pod does, with every reference resolved to a folder on storage.

use std::collections::BTreeMap;

use mlpipeline_crds::{
    BaselineModel, DataReference, DataSource, Digest, PUBLISHED_FOLDER, Revision, RevisionRule,
    STEP_SPEC_VERSION, StepSpec,
};

use super::context::Context;
use super::reported_digest::digest_of;
use super::shape::Shape;
use super::work::{RunWork, Task};
use super::{history, model};
use crate::artifact_place::ArtifactPlace;
use crate::credentials;
use crate::execution_settings::ExecutionSettings;
use crate::fingerprint::Fingerprint;
use crate::piece::Piece;
use crate::pipeline::ValidStep;
use crate::step_kind::{Doer, Places};

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
    let task = task(context, step, &fingerprint, rule, piece, Digests::Reported);
    let settings = ExecutionSettings::of(context.pipeline, step);
    RunWork { key, attempt, piece, fingerprint, settings, shape: Shape::of(step, piece), task }
}

/// What a long-running pod does, which knows its model by this digest.
pub(super) fn long_running(
    context: &Context<'_>,
    step: &ValidStep,
    fingerprint: &Fingerprint,
    model: Option<&Digest>,
) -> Task {
    let rule = RevisionRule::Fixed(fingerprint.key());
    task(context, step, fingerprint, rule, Piece::Commit, Digests::OfModel(model))
}

/// Which digests what a step reads is known by.
#[derive(Clone, Copy)]
enum Digests<'a> {
    /// Those that steps reported.
    Reported,
    /// This one, of the model. Pods are replaced when it changes, so it was decided together with the rest of what they are.
    OfModel(Option<&'a Digest>),
}

fn task(
    context: &Context<'_>,
    step: &ValidStep,
    fingerprint: &Fingerprint,
    rule: RevisionRule,
    piece: Piece,
    digests: Digests<'_>,
) -> Task {
    let pipeline = context.pipeline;
    let (RevisionRule::Fixed(key) | RevisionRule::ByContent(key)) = &rule;
    let folders = Folders { context, step, key, inputs: &fingerprint.inputs, piece, digests };
    let action = match step.action.descriptor().doer(&folders) {
        Doer::Worker(action) => *action,
        Doer::Container(run) => {
            let reads = step.reads().into_iter();
            return Task::Container {
                run: Box::new(run.clone()),
                inputs: reads.filter_map(|read| Some((read.name.clone(), folders.of(&read.name)?))).collect(),
                output: ArtifactPlace::new(&pipeline.namespace, &pipeline.name, &step.name, key),
            };
        }
    };
    Task::Worker(Box::new(StepSpec {
        version: STEP_SPEC_VERSION,
        namespace: pipeline.namespace.clone(),
        pipeline: pipeline.name.clone(),
        step: step.name.clone(),
        revision: rule.clone(),
        // Only what publishes a result removes older ones.
        remove: if step.is_long_running() || piece != Piece::Commit {
            Vec::new()
        } else {
            history::revisions_to_remove(context, step, key)
        },
        action,
    }))
}

/// Finds the folders of what a step reads.
struct Folders<'a> {
    context: &'a Context<'a>,
    step: &'a ValidStep,
    /// The key of the step's own run.
    key: &'a Revision,
    inputs: &'a BTreeMap<String, Revision>,
    piece: Piece,
    digests: Digests<'a>,
}

impl Folders<'_> {
    fn of(&self, name: &str) -> Option<ArtifactPlace> {
        let read = self.step.reads().into_iter().find(|read| read.name == name)?;
        Some(self.place(&read.step, self.inputs.get(name)?))
    }

    fn place(&self, step: &str, revision: &Revision) -> ArtifactPlace {
        let pipeline = self.context.pipeline;
        ArtifactPlace::new(&pipeline.namespace, &pipeline.name, step, revision)
    }

    /// The files that a continuous step has published and nobody has taken yet.
    fn published(&self, step: &str) -> DataSource {
        let pipeline = self.context.pipeline;
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
}

impl Places for Folders<'_> {
    fn artifact(&self, name: &str) -> String {
        self.of(name).map(|place| place.to_string()).unwrap_or_default()
    }

    fn digest(&self, name: &str) -> Option<Digest> {
        match self.digests {
            Digests::OfModel(digest) => digest.cloned(),
            Digests::Reported => {
                let read = self.step.reads().into_iter().find(|read| read.name == name)?;
                digest_of(self.context, self.context.pipeline.step(&read.step)?, self.inputs.get(name)?)
            }
        }
    }

    fn baseline(&self) -> Option<BaselineModel> {
        let revision = model::baseline(self.context, self.step, self.key)?;
        let path = self.place(&self.step.name, &revision).to_string();
        Some(BaselineModel { path, digest: digest_of(self.context, self.step, &revision), revision })
    }

    fn trial_pods(&self) -> Option<u32> {
        self.step.pods_of(self.piece).filter(|_| self.piece == Piece::Trials)
    }

    fn history(&self) -> u32 {
        u32::try_from(self.context.pipeline.history).unwrap_or(u32::MAX)
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
                None => DataSource::Artifact { path: self.artifact(name), digest: self.digest(name) },
            },
        }
    }
}
