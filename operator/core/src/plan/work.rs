//! The work that a plan asks for: what a Job, CronJob or Deployment is made of, before it is any of them.

use std::collections::BTreeMap;

use mlpipeline_crds::{Digest, Revision, Run, StepSpec};

use super::shape::Shape;
use crate::artifact_place::ArtifactPlace;
use crate::execution_settings::ExecutionSettings;
use crate::fingerprint::Fingerprint;
use crate::observed::ProbePort;
use crate::piece::Piece;
use crate::template_version::TemplateVersion;
use crate::tracks::Tracks;

/// What should exist for one step.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// One run to completion, or the piece of it that is next: a Job, or a process on a laptop.
    Once(RunWork),
    /// Runs at the times of the step's schedule: a CronJob.
    Scheduled {
        /// What each run does.
        run: RunWork,
        /// Whether to start none for now.
        suspend: bool,
    },
    /// Long-running pods or processes.
    LongRunning(Tracks<LongRunningWork>),
}

/// One run to completion, or a piece of one.
#[derive(Clone, Debug, PartialEq)]
pub struct RunWork {
    /// The hash of the fingerprint: what the run is named by.
    pub key: Revision,
    /// 1, or more where an earlier run of the key did not do.
    pub attempt: u32,
    /// Which piece of the run it is.
    pub piece: Piece,
    /// The step's fingerprint; kept with the run so that a later plan can say what changed.
    pub fingerprint: Fingerprint,
    /// What it is executed with; kept with the run so that a later plan tries it again when that changes.
    pub settings: ExecutionSettings,
    /// How many pods it takes, and which of them speaks for it.
    pub shape: Shape,
    /// What to do.
    pub task: Task,
}

/// What one run does.
#[derive(Clone, Debug, PartialEq)]
pub enum Task {
    /// A step for the worker.
    Worker(Box<StepSpec>),
    /// A container of the user's.
    Container {
        /// The step that names it.
        run: Box<Run>,
        /// Results to read, by the input's name.
        inputs: BTreeMap<String, ArtifactPlace>,
        /// Where the result goes.
        output: ArtifactPlace,
    },
}

/// Long-running pods or processes.
#[derive(Clone, Debug, PartialEq)]
pub struct LongRunningWork {
    /// The hash of the fingerprint and of the model: pods of another key are replaced.
    pub key: Revision,
    /// The step's fingerprint; kept with the pods so that a later plan knows what they read, and can say what changed.
    pub fingerprint: Fingerprint,
    /// The model to serve, for a serve step.
    pub model: Option<Revision>,
    /// The worker image that the pods have already. They keep it while they do the same work, so that a newer operator, whose default is
    /// another image, replaces no pod. `None` for the default.
    pub image: Option<String>,
    /// The version of the pod template to make the pods by; they keep that, too.
    pub template: TemplateVersion,
    /// What the model's step reported of its content, for a serve step.
    pub model_digest: Option<Digest>,
    /// Where the pods answer probes, for a serve step. As with the image, pods keep it while they do the same work.
    pub probe_port: ProbePort,
    /// How many pods to begin with where an autoscaler sets their number; `None` leaves the number to it.
    pub first_replicas: Option<i32>,
    /// What each pod does.
    pub task: Task,
}
