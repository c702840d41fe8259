//! A pipeline that is known to make sense. Only [`super::validate::validate`] makes one, so nothing after it checks again.

use std::collections::BTreeMap;
use std::time::Duration;

use mlpipeline_crds::{AccessMode, PodSettings, StepKind, Workload};

use super::names;
use super::piece::{Piece, PlannedPiece};
use super::schedule::CronSchedule;
use super::step_kind::{Read, Replicas, ValidAction};
use super::storage::{Storage, is_of_one_node};

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
    /// Where its artifacts are kept.
    pub storage: Storage,
    /// How nodes may mount the claims that steps name in `pod.volumes`, and the pipeline's own that has a volume, as the cluster has them;
    /// without those that were not read.
    pub claims: BTreeMap<String, Vec<AccessMode>>,
    /// The steps, each after those that it reads or follows.
    pub steps: Vec<ValidStep>,
}

impl ValidatedPipeline {
    /// The step of this name.
    #[must_use]
    pub fn step(&self, name: &str) -> Option<&ValidStep> {
        self.steps.iter().find(|step| step.name == name)
    }

    /// Whether its pods mount a volume. A pipeline of nothing but containers that read nothing of each other needs none, unless its spec asks
    /// for one.
    #[must_use]
    pub fn has_volume(&self) -> bool {
        self.storage.is_asked_for() || self.steps.iter().any(|step| step.action.descriptor().needs_storage())
    }

    /// Whether all of its pods must be on one node, for the sake of the volume that they mount.
    #[must_use]
    pub fn keeps_pods_together(&self) -> bool {
        let of_one_node = match self.modes_of_own_claim() {
            Some(modes) => is_of_one_node(modes),
            None => self.storage.is_of_one_node(),
        };
        self.has_volume() && of_one_node
    }

    /// Whether the volume is the pipeline's own and plainly of one node, for which all versions of the pod template are alike.
    #[must_use]
    pub fn is_plainly_of_one_node(&self) -> bool {
        match self.modes_of_own_claim() {
            Some(modes) => modes == [AccessMode::ReadWriteOnce],
            None => self.storage.is_plainly_of_one_node(),
        }
    }

    /// How nodes may mount the volume that is there: a claim keeps its modes, whatever the spec asks for since.
    fn modes_of_own_claim(&self) -> Option<&[AccessMode]> {
        let is_own = self.storage.existing_claim().is_none();
        let modes = self.claims.get(&names::claim(&self.name)).filter(|modes| is_own && !modes.is_empty())?;
        Some(modes)
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
    /// Pods at work at the same time, of a run step's Job or on the trials of a search.
    pub parallelism: Option<i32>,
    /// The token whose change forces a new run.
    pub rerun: Option<String>,
    /// Pod settings, those of the pipeline included.
    pub pod: PodSettings,
}

impl ValidStep {
    /// What the step does, as a kind.
    #[must_use]
    pub fn kind(&self) -> StepKind {
        self.action.descriptor().kind()
    }

    /// What keeps its pods: a Job for work that ends, anything else for what is long-running.
    #[must_use]
    pub fn workload(&self) -> Workload {
        self.action.descriptor().workload()
    }

    /// The claims that its pods name beside the pipeline's volume. A pod has its volumes whether a container mounts them or not.
    pub fn claims(&self) -> impl Iterator<Item = &str> {
        let claims = self.pod.volumes.iter().filter_map(|volume| volume.persistent_volume_claim.as_ref());
        claims.map(|claim| claim.claim_name.as_str())
    }

    /// Whether the step is long-running rather than one that runs to completion.
    #[must_use]
    pub fn is_long_running(&self) -> bool {
        self.workload().is_long_running()
    }

    /// The fewest pods of a step whose number an autoscaler sets; `None` for any other.
    #[must_use]
    pub fn fewest_autoscaled(&self) -> Option<i32> {
        match self.action.descriptor().replicas() {
            Replicas::Autoscaled { fewest } => Some(fewest),
            Replicas::Fixed(_) | Replicas::OneAtATime => None,
        }
    }

    /// Whether the pods of the step's Jobs have a number each.
    #[must_use]
    pub fn is_indexed(&self) -> bool {
        self.action.descriptor().is_indexed()
    }

    /// The pieces of the step's runs, in the order in which they are done.
    #[must_use]
    pub fn pieces(&self) -> Vec<PlannedPiece> {
        self.action.descriptor().pieces(self.parallelism)
    }

    /// How many pods share a piece of the step's runs, each with a number of its own; `None` where the step's spec says it.
    #[must_use]
    pub fn pods_of(&self, piece: Piece) -> Option<u32> {
        self.pieces().into_iter().find(|planned| planned.piece == piece)?.pods
    }

    /// Whether a worker does it, rather than a container of the user's.
    #[must_use]
    pub fn is_worker(&self) -> bool {
        self.action.descriptor().container().is_none()
    }

    /// The continuous step whose files this one takes as they come.
    #[must_use]
    pub fn watches(&self) -> Option<&str> {
        self.action.descriptor().watches()
    }

    /// The results that the step reads, in the order in which the spec names them.
    #[must_use]
    pub fn reads(&self) -> Vec<Read> {
        self.action.descriptor().reads()
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
