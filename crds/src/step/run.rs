//! run — any container.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::KubeSchema;
use kube::core::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ServiceType;

/// Run a container image of your own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("!has(self.completions) || !has(self.workload) || self.workload == 'Job'").message("completions goes with workload Job").field_path(".completions"))]
#[x_kube(validation = Rule::new("!has(self.completionMode) || !has(self.workload) || self.workload == 'Job'").message("completionMode goes with workload Job").field_path(".completionMode"))]
#[x_kube(validation = Rule::new("!has(self.completionMode) || self.completionMode != 'Indexed' || has(self.completions)").message("completionMode Indexed goes with completions, which says how many indexes there are").field_path(".completionMode"))]
#[x_kube(validation = Rule::new("!has(self.restartPolicy) || !has(self.workload) || self.workload == 'Job'").message("restartPolicy goes with workload Job: the others always restart").field_path(".restartPolicy"))]
#[x_kube(validation = Rule::new("!has(self.replicas) || (has(self.workload) && self.workload in ['Deployment', 'StatefulSet'])").message("replicas goes with workload Deployment or StatefulSet").field_path(".replicas"))]
#[x_kube(validation = Rule::new("!has(self.replicaVolume) || (has(self.workload) && self.workload == 'StatefulSet')").message("replicaVolume goes with workload StatefulSet").field_path(".replicaVolume"))]
#[x_kube(validation = fixed_in_a_stateful_set("has(self.replicaVolume) == has(oldSelf.replicaVolume)", "replicaVolume cannot be added to or removed from a StatefulSet that exists: give the step another name, or remove the step, apply, and add it again"))]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// The image.
    #[schemars(length(min = 1, max = 512))]
    pub image: String,
    /// The command, in place of the image's entry point.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "atomic"), inner(length(max = 16384)))]
    pub command: Vec<String>,
    /// Arguments of the command or entry point.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "atomic"), inner(length(max = 16384)))]
    pub args: Vec<String>,
    /// Results of other steps to read. The container finds each one's folder in the variable MLPIPELINE_INPUT_NAME, the name
    /// in upper case with _ for other signs, and writes its own result to the folder in MLPIPELINE_OUTPUT.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub inputs: Vec<RunInput>,
    /// What kind of object keeps the container running; Job when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<Workload>,
    /// Job: how many pods must succeed. Absent beside the step's parallelism, the pods share a queue of their own and the
    /// step is done when one has succeeded and all have ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub completions: Option<i32>,
    /// Job: whether each completion has a number of its own, from 0, which its container finds in JOB_COMPLETION_INDEX
    /// (Indexed); else all pods are alike (NonIndexed). NonIndexed when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion_mode: Option<CompletionMode>,
    /// Job: restart a failed container in its pod (OnFailure) or start a new pod (Never); Never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart_policy: Option<RestartPolicy>,
    /// Deployment and StatefulSet: how many pods run; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub replicas: Option<i32>,
    /// Ports to reach the container's pods by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub ports: Vec<Port>,
    /// StatefulSet: a volume of each replica's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica_volume: Option<ReplicaVolume>,
}

/// A result of another step, under a name of the reader's choosing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunInput {
    /// The name in the variable MLPIPELINE_INPUT_NAME.
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[A-Za-z_][A-Za-z0-9_-]*$"))]
    pub name: String,
    /// The step whose result to read.
    #[schemars(length(min = 1, max = 40))]
    pub step: String,
}

/// The kind of object that keeps a container running.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Workload {
    /// Run to completion.
    #[default]
    Job,
    /// Run all the time, replicas alike.
    Deployment,
    /// Run all the time, each replica with a name and volume of its own.
    StatefulSet,
    /// Run all the time, one pod on every node.
    DaemonSet,
}

impl Workload {
    /// Whether its pods stay, rather than run to completion.
    #[must_use]
    pub fn is_long_running(self) -> bool {
        match self {
            Self::Job => false,
            Self::Deployment | Self::StatefulSet | Self::DaemonSet => true,
        }
    }
}

/// Whether the completions of a Job can be distinguished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum CompletionMode {
    /// All pods are alike: so many must succeed, whichever they are.
    #[default]
    NonIndexed,
    /// Each completion has a number, and one pod must succeed for each.
    Indexed,
}

/// What follows when a Job's container fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RestartPolicy {
    /// A new pod.
    #[default]
    Never,
    /// The same pod restarts its container.
    OnFailure,
}

/// A port of the container and how it is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("!has(self.nodePort) || (has(self.service) && self.service in ['NodePort', 'LoadBalancer'])").message("nodePort goes with service NodePort or LoadBalancer").field_path(".nodePort"))]
#[serde(rename_all = "camelCase")]
pub struct Port {
    /// The port's name.
    #[schemars(length(min = 1, max = 15), regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub name: String,
    /// The Service's port. A headless Service maps no ports: there it is the container's.
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,
    /// The container's port; the same as port when absent, and beside a headless Service. Several ports may lead to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub target_port: Option<i32>,
    /// How far the Service reaches; ClusterIP when absent, and Headless for a StatefulSet, whose pods have names by it. All ports of a
    /// step share one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceType>,
    /// The port on every node; one that the cluster chooses when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub node_port: Option<i32>,
    /// The port on the pod's own node, for a DaemonSet whose clients use the node's address. The policy of the namespace must
    /// allow host ports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub host_port: Option<i32>,
}

impl Port {
    /// The container's port.
    #[must_use]
    pub fn container_port(&self) -> i32 {
        self.target_port.unwrap_or(self.port)
    }
}

/// A rule on changes of a step that was a StatefulSet and stays one.
fn fixed_in_a_stateful_set(rule: &str, message: &str) -> Rule {
    let is_set = |run: &str| format!("has({run}.workload) && {run}.workload == 'StatefulSet'");
    Rule::new(format!("!({} && {}) || ({rule})", is_set("self"), is_set("oldSelf")))
        .message(message)
        .field_path(".replicaVolume")
}

/// A volume that each replica of a StatefulSet keeps for itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplicaVolume {
    /// How much to ask for. It can grow where the storage class allows it; a volume that is there never shrinks.
    pub size: Quantity,
    /// Where the container finds it.
    #[schemars(length(min = 1, max = 1024), regex(pattern = "^/"))]
    pub mount_path: String,
    /// The storage class; the cluster's default when absent. Empty for a volume that somebody made by hand: none is made then. A
    /// volume that is there keeps its class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub storage_class_name: Option<String>,
}
