//! What each kind of step is, said once: what it reads, which workload it has, what it needs, what of its spec changes its result,
//! and how a laptop runs it.
//!
//! A new kind is a row of the table in `mlpipeline_crds`, and a file here that answers every question of [`Descriptor`]. There are
//! no default answers and no wildcard arms, so the compiler asks for whatever is missing. Must not know of steps' names, pipelines or plans.
#![deny(clippy::wildcard_enum_match_arm)]

mod action;
mod local;
mod places;
mod pods;
mod read;
mod rows;

use mlpipeline_crds::{
    Action, Gate, Metric, Output, PodSettings, ReplicaVolume, Run, Serve, StepKind, Workload, step_kinds,
};
use serde_json::Value;

use crate::piece::PlannedPiece;
pub use action::ValidAction;
pub use local::{LocalPods, Readiness};
pub use places::Places;
pub use pods::{ExposedPort, Exposure, Replicas};
pub use read::{Outside, Read, Wanted};
pub(crate) use run::{container_ports, default_service};
pub(crate) use serve::{SERVE_PORT, SERVE_PORT_NAME, service_port};

macro_rules! declare_kinds {
    ($($(#[$doc:meta])* $kind:ident $field:ident;)+) => {
        $(mod $field;)+
    };
}

// Each kind has a file here.
step_kinds!(declare_kinds);

/// Why the pods of a step do not share its work, where its kind has nothing to share.
const NOTHING_TO_SHARE: &str = "is only for a run step with workload Job, and for a train step with tune";

/// What does the work of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Doer<'a> {
    /// The worker, which does this.
    Worker(Box<Action>),
    /// A container of the user's.
    Container(&'a Run),
}

impl Doer<'_> {
    fn worker(action: Action) -> Self {
        Self::Worker(Box::new(action))
    }
}

/// What a kind of step answers about one step of it.
pub trait Descriptor {
    /// The kind.
    fn kind(&self) -> StepKind;

    /// The results of other steps that it reads, in the order in which the spec names them.
    fn reads(&self) -> Vec<Read>;

    /// The continuous step whose files it takes as they come. That is no result that is read: files flow, and no revision names
    /// them.
    fn watches(&self) -> Option<&str>;

    /// The files outside of the pipeline that it takes as they come, by their URI.
    fn inbox(&self) -> Option<&str>;

    /// The places outside of the pipeline that it reads, each with the field that names it, in the spec of its kind.
    fn outside(&self) -> Vec<(String, Outside<'_>)>;

    /// Whether it makes file after file, and never a result that is done.
    fn is_continuous(&self) -> bool;

    /// What keeps its pods: a Job for work that ends, anything else for what is long-running.
    fn workload(&self) -> Workload;

    /// How many pods it has, where it is long-running.
    fn replicas(&self) -> Replicas;

    /// The Service that leads to its pods; `None` where nobody reaches them.
    fn exposure(&self) -> Option<Exposure>;

    /// The ports of nodes that its Service asks for, each with the field that names it, in the spec of its kind.
    fn node_ports(&self) -> Vec<(String, i32)>;

    /// The volume that each pod of a StatefulSet keeps for itself.
    fn replica_volume(&self) -> Option<&ReplicaVolume>;

    /// The container of the user's that does it; `None` where a worker does it, which leaves a report, and whose image is `spec.image`.
    fn container(&self) -> Option<&Run>;

    /// How it answers predictions, where it does: its autoscaler, disruption budget and Ingress come of that.
    fn serving(&self) -> Option<&Serve>;

    /// The same, to be completed with what the pipeline says.
    fn serving_mut(&mut self) -> Option<&mut Serve>;

    /// What it compares trials by, where it searches for its model's parameters.
    fn searches_by(&self) -> Option<Metric>;

    /// Whether the pods of its Jobs have a number each.
    fn is_indexed(&self) -> bool;

    /// The pieces of its runs, in the order in which they are done, where so many pods may work at the same time. The last one commits
    /// the result.
    fn pieces(&self, parallelism: Option<i32>) -> Vec<PlannedPiece>;

    /// Why its pods cannot share its work, however many `parallelism` asks for, where it is scheduled or not: nothing where they can.
    fn against_parallelism(&self, is_scheduled: bool) -> Vec<&'static str>;

    /// Whether its pods mount the pipeline's storage even where no other step does.
    fn needs_storage(&self) -> bool;

    /// The Secrets with credentials for stores: the prefix of the variables that hold them, and the Secret's name.
    fn credentials(&self) -> Vec<(String, String)>;

    /// Where its result goes beside storage.
    fn output(&self) -> Option<&Output>;

    /// The part of its spec that changes its result. What this serialises to is hashed into keys: see `tests/keys.txt`.
    fn fingerprint(&self, pod: &PodSettings) -> Value;

    /// The part of its spec that changes how it is executed and not its result, by field, beside `pod` and `secret`.
    fn execution_settings(&self) -> Vec<(&'static str, Value)>;

    /// The gate that its model must pass.
    fn gate(&self) -> Option<&Gate>;

    /// What does its work.
    fn doer(&self, places: &dyn Places) -> Doer<'_>;

    /// How a laptop runs its pods, where it is long-running.
    fn local(&self) -> LocalPods;
}
