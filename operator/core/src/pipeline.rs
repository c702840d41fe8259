//! A pipeline that is known to make sense. Only [`super::validate::validate`] makes one, so nothing after it checks again.

use std::time::Duration;

use mlpipeline_crds::{
    CompletionMode, DataReference, PodSettings, Prepare, Run, Score, Serve, StepKind, Train, VolumeStorage,
    Workload,
};

use super::schedule::CronSchedule;

/// A pipeline whose every field was checked, with its steps in an order in which each follows what it reads.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidatedPipeline {
    /// The namespace that the pipeline lives in.
    pub namespace: String,
    /// The pipeline's name.
    pub name: String,
    /// The resource's uid; empty on a laptop.
    pub uid: String,
    /// The generation of the spec.
    pub generation: Option<i64>,
    /// Start no new Jobs.
    pub suspend: bool,
    /// How many revisions of a step to keep.
    pub history: usize,
    /// The worker image that the spec names.
    pub image: Option<String>,
    /// The volume that the pods share.
    pub volume: VolumeStorage,
    /// The steps, each after those that it reads or follows.
    pub steps: Vec<ValidStep>,
}

impl ValidatedPipeline {
    /// The step of this name.
    #[must_use]
    pub fn step(&self, name: &str) -> Option<&ValidStep> {
        self.steps.iter().find(|step| step.name == name)
    }
}

/// One step that makes sense.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidStep {
    /// The step's name.
    pub name: String,
    /// What it does.
    pub action: ValidAction,
    /// Steps to wait for although nothing of theirs is read.
    pub after: Vec<String>,
    /// When it runs again.
    pub schedule: Option<CronSchedule>,
    /// How often a failed attempt is repeated.
    pub retries: u32,
    /// The longest that all attempts together may take.
    pub timeout: Option<Duration>,
    /// Pods at work at the same time, of a run step's Job.
    pub parallelism: Option<i32>,
    /// The token whose change forces a new run.
    pub rerun: Option<String>,
    /// Pod settings, those of the pipeline included.
    pub pod: PodSettings,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum ValidAction {
    /// Make a dataset.
    Prepare(Prepare),
    /// Make a model.
    Train(Train),
    /// Answer predictions.
    Serve(Serve),
    /// Predict for many rows.
    Score(Score),
    /// Run any container.
    Run(Run),
}

/// One result of another step that a step reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// What the reader calls it: a table's name, "data", "model", "input".
    pub name: String,
    /// The step that makes it.
    pub step: String,
    /// Whether it is a model, which must have passed its gate.
    pub is_model: bool,
}

impl ValidStep {
    /// What the step does, as a kind.
    #[must_use]
    pub fn kind(&self) -> StepKind {
        match self.action {
            ValidAction::Prepare(_) => StepKind::Prepare,
            ValidAction::Train(_) => StepKind::Train,
            ValidAction::Serve(_) => StepKind::Serve,
            ValidAction::Score(_) => StepKind::Score,
            ValidAction::Run(_) => StepKind::Run,
        }
    }

    /// Whether the step runs all the time rather than to completion.
    #[must_use]
    pub fn is_long_running(&self) -> bool {
        match &self.action {
            ValidAction::Serve(_) => true,
            ValidAction::Run(run) => run.workload.unwrap_or_default() != Workload::Job,
            ValidAction::Prepare(prepare) => prepare.continuous.is_some(),
            ValidAction::Train(_) | ValidAction::Score(_) => false,
        }
    }

    /// Whether the pods of the step's Jobs have a number each.
    #[must_use]
    pub fn is_indexed(&self) -> bool {
        matches!(&self.action, ValidAction::Run(run) if run.completion_mode == Some(CompletionMode::Indexed))
    }

    /// The continuous step whose files this one takes as they come. It is no result that is read: files flow, and no revision
    /// names them.
    #[must_use]
    pub fn watches(&self) -> Option<&str> {
        match &self.action {
            ValidAction::Prepare(prepare) if prepare.continuous.is_some() => {
                prepare.inputs.iter().find_map(|input| input.step.as_deref())
            }
            _ => None,
        }
    }

    /// The results that the step reads, in the order in which the spec names them.
    #[must_use]
    pub fn reads(&self) -> Vec<Read> {
        let data = |name: &str, step: &str| Read { name: name.into(), step: step.into(), is_model: false };
        let model = |step: &str| Read { name: "model".into(), step: step.into(), is_model: true };
        let of_reference =
            |name: &str, reference: &DataReference| reference.step.as_deref().map(|step| data(name, step));
        match &self.action {
            ValidAction::Prepare(prepare) if prepare.continuous.is_some() => Vec::new(),
            ValidAction::Prepare(prepare) => prepare
                .inputs
                .iter()
                .filter_map(|input| input.step.as_deref().map(|step| data(&input.name, step)))
                .collect(),
            ValidAction::Train(train) => of_reference("data", &train.data).into_iter().collect(),
            ValidAction::Serve(serve) => vec![model(&serve.model.step)],
            ValidAction::Score(score) => {
                std::iter::once(model(&score.model.step)).chain(of_reference("input", &score.input)).collect()
            }
            ValidAction::Run(run) => run.inputs.iter().map(|input| data(&input.name, &input.step)).collect(),
        }
    }

    /// The steps that this one comes after: those that it reads, the one whose files it takes, and those of `after`.
    #[must_use]
    pub fn follows(&self) -> Vec<String> {
        let watched = self.watches().map(str::to_owned);
        self.reads()
            .into_iter()
            .map(|read| read.step)
            .chain(watched)
            .chain(self.after.iter().cloned())
            .collect()
    }
}
