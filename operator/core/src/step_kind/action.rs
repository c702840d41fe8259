//! What a step does, with the spec of its kind: the table of kinds.

use mlpipeline_crds::{Import, Prepare, Run, Score, Serve, Step, StepKind, Train};
use serde::Deserialize;

use super::Descriptor;

/// What a step does. It can be read from the fingerprint of an earlier run too, whose step was valid then.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::large_enum_variant, reason = "there is one for each step of a spec, 64 at most")]
pub enum ValidAction {
    /// Make a dataset.
    Prepare(Prepare),
    /// Make a model.
    Train(Train),
    /// Take a model that was made elsewhere.
    Import(Import),
    /// Answer predictions.
    Serve(Serve),
    /// Predict for many rows.
    Score(Score),
    /// Run any container.
    Run(Run),
}

impl ValidAction {
    /// What a step that is of exactly one kind does.
    #[must_use]
    pub fn of(step: &Step) -> Option<Self> {
        match step.kind()? {
            StepKind::Prepare => step.prepare.clone().map(Self::Prepare),
            StepKind::Train => step.train.clone().map(Self::Train),
            StepKind::Import => step.import.clone().map(Self::Import),
            StepKind::Serve => step.serve.clone().map(Self::Serve),
            StepKind::Score => step.score.clone().map(Self::Score),
            StepKind::Run => step.run.clone().map(Self::Run),
        }
    }

    /// What its kind answers about it.
    #[must_use]
    pub fn descriptor(&self) -> &dyn Descriptor {
        match self {
            Self::Prepare(prepare) => prepare,
            Self::Train(train) => train,
            Self::Import(import) => import,
            Self::Serve(serve) => serve,
            Self::Score(score) => score,
            Self::Run(run) => run,
        }
    }

    /// The spec of a prepare step.
    #[must_use]
    pub fn prepare(&self) -> Option<&Prepare> {
        if let Self::Prepare(prepare) = self { Some(prepare) } else { None }
    }

    /// The spec of a serve step.
    #[must_use]
    pub fn serve(&self) -> Option<&Serve> {
        if let Self::Serve(serve) = self { Some(serve) } else { None }
    }

    /// The spec of a train step.
    #[must_use]
    pub fn train(&self) -> Option<&Train> {
        if let Self::Train(train) = self { Some(train) } else { None }
    }

    /// The spec of a run step.
    #[must_use]
    pub fn run(&self) -> Option<&Run> {
        if let Self::Run(run) = self { Some(run) } else { None }
    }
}
