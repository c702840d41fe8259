//! What the operator says of a pipeline. A summary: it can be deleted and is rebuilt from the children.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::StepKind;

/// The generation that the API server itself writes into the status of a new pipeline: no operator has seen it yet. Without it, kstatus
/// would take a pipeline that has no status for one that is done.
pub const NOT_OBSERVED: i64 = -1;

/// What is true of the pipeline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MLPipelineStatus {
    /// The generation of the spec that this status speaks of; -1 until the operator has seen the pipeline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready, Reconciling and Stalled as kstatus reads them, and Serving and Suspended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// Steps done, of all steps: "3/4".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub progress: Option<String>,
    /// The revision of the model that is served or was trained last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub model: Option<String>,
    /// How good that model is: "accuracy=0.967".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub score: Option<String>,
    /// Where predictions are answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub endpoint: Option<String>,
    /// When the next schedule fires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_run: Option<Time>,
    /// Ready replicas of the only serve step, for the scale subresource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    /// The selector of those replicas' pods, for the scale subresource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub selector: Option<String>,
    /// One entry a step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub steps: Vec<StepStatus>,
    /// The newest models, and all that pods serve, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "atomic"))]
    pub models: Vec<ModelStatus>,
}

impl MLPipelineStatus {
    /// Whether the operator wrote this status, and not the API server for want of one.
    #[must_use]
    pub fn is_observed(&self) -> bool {
        self.observed_generation != Some(NOT_OBSERVED)
    }
}

/// What is true of one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepStatus {
    /// The step's name.
    #[schemars(length(max = 40))]
    pub name: String,
    /// What it does.
    pub kind: StepKind,
    /// How it stands.
    pub state: StepState,
    /// The revision that this entry speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub revision: Option<String>,
    /// The object that does the work: "Job/iris-train-0f3a".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 300))]
    pub workload: Option<String>,
    /// When it started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Time>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<Time>,
    /// Pods that were tried so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<i32>,
    /// How many runs of its schedule, one after the other, were replaced by the next before they ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_runs: Option<i32>,
    /// Why it stands so, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,
    /// What the step measured.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32))]
    pub metrics: BTreeMap<String, f64>,
}

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum StepState {
    /// Waits for what it reads, or for its time.
    Waiting,
    /// Is at work.
    Running,
    /// Its result is there and up to date.
    Done,
    /// Its pods answer.
    Serving,
    /// Its model did not pass the gate.
    #[serde(alias = "Refused")] // as version 0.1.0 wrote it
    Rejected,
    /// It failed, and trying again would not help.
    Failed,
    /// It cannot continue until another step is fixed.
    Blocked,
    /// It is held back by suspend.
    Suspended,
}

/// One revision of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelStatus {
    /// The train step.
    #[schemars(length(max = 40))]
    pub step: String,
    /// The model's revision.
    #[schemars(length(max = 64))]
    pub revision: String,
    /// Whether pods serve it now.
    pub serving: bool,
    /// The gate's verdict.
    pub gate: GateState,
    /// The gate's reason, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub message: Option<String>,
    /// What training measured.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32))]
    pub metrics: BTreeMap<String, f64>,
    /// The SHA-256 of the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub digest: Option<String>,
    /// When it was trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trained: Option<Time>,
}

/// A gate's verdict on a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum GateState {
    /// It may be served; so it is where there is no gate.
    Passed,
    /// It may not be served.
    #[serde(alias = "Refused")] // as version 0.1.0 wrote it
    Rejected,
}
