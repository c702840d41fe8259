//! The `MLPipeline` resource.

// Each printer column has attributes of the same names, which the lint takes for a mistake.
#![allow(clippy::duplicated_attributes)]

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use crate::{MLPipelineStatus, PodSettings, Step, Storage};

/// What should be true: these data prepared, this model trained on them and good enough, these replicas serving it, these
/// rows scored every night. Applying it twice does nothing; editing one field re-does exactly what depends on it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "mlpipeline.dev",
    version = "v1alpha1",
    kind = "MLPipeline",
    plural = "mlpipelines",
    shortname = "mlp",
    category = "all",
    category = "ml",
    namespaced,
    status = "MLPipelineStatus",
    derive = "PartialEq",
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status",
        description = "Whether everything that the spec asks for is true"
    ),
    printcolumn(
        name = "Status",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason",
        description = "Why it is ready or not"
    ),
    printcolumn(
        name = "Steps",
        type_ = "string",
        json_path = ".status.progress",
        description = "Steps done, of all steps"
    ),
    printcolumn(
        name = "Model",
        type_ = "string",
        json_path = ".status.model",
        description = "The revision served or trained last"
    ),
    printcolumn(
        name = "Score",
        type_ = "string",
        json_path = ".status.score",
        description = "How good that model is"
    ),
    printcolumn(
        name = "Endpoint",
        type_ = "string",
        json_path = ".status.endpoint",
        priority = 1,
        description = "Where predictions are answered"
    ),
    printcolumn(
        name = "Next run",
        // Not a date: kubectl shows dates as ages, and has none for what is yet to come.
        type_ = "string",
        json_path = ".status.nextRun",
        priority = 1,
        description = "When the next schedule fires"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[x_kube(validation = Rule::new("!has(self.replicas) || self.steps.filter(s, has(s.serve)).size() == 1").message("replicas sets the replicas of the only serve step: there must be exactly one").field_path(".replicas"))]
#[serde(rename_all = "camelCase")]
pub struct MLPipelineSpec {
    /// Start no new Jobs and suspend CronJobs. What serves keeps serving.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// The worker image for all steps but run; the operator's default when absent. Naming or changing
    /// one re-does those steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,
    /// The replicas of the only serve step, so that `kubectl scale` works. Refused beside several serve steps, and beside
    /// its own `replicas` or `autoscaling`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub replicas: Option<i32>,
    /// Where datasets, models and results live; a volume of 1Gi of the default storage class when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<Storage>,
    /// Settings of every step's pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<PodSettings>,
    /// How many revisions of each step to keep, Jobs and artifacts alike; 3 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub history: Option<i32>,
    /// What the pipeline is made of. Steps run as soon as what they read is there, whatever their order in this list.
    #[schemars(length(min = 1, max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub steps: Vec<Step>,
}
