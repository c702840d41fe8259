//! serve — a model behind HTTP.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::step_work::StepWork;
use crate::{DataSource, Delivery, Digest, Format, OLDEST_STEP_SPEC_VERSION, StepReference};

/// Serve the newest model that passed its gate, with a Deployment and a Service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("!(has(self.replicas) && has(self.autoscaling))").message("replicas and autoscaling exclude each other: autoscaling has minReplicas and maxReplicas"))]
#[serde(rename_all = "camelCase")]
pub struct Serve {
    /// The train or import step whose model to serve.
    pub model: StepReference,
    /// How many pods answer; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub replicas: Option<i32>,
    /// Let the load decide how many pods answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscaling: Option<Autoscaling>,
    /// How the pods are reached; ClusterIP on port 80 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceSettings>,
    /// Reach them from outside by host name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingress: Option<Ingress>,
    /// Who may ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<ApiKeyAuth>,
}

/// A HorizontalPodAutoscaler on the pods' CPU.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("!has(self.minReplicas) || self.minReplicas <= self.maxReplicas").message("minReplicas must not be more than maxReplicas"))]
#[serde(rename_all = "camelCase")]
pub struct Autoscaling {
    /// The fewest pods; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub min_replicas: Option<i32>,
    /// The most pods.
    #[schemars(range(min = 1, max = 1000))]
    pub max_replicas: i32,
    /// The CPU use to aim at, in percent of what the pods request; 80 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "targetCPUUtilizationPercentage")]
    #[schemars(range(min = 1, max = 1000))]
    pub target_cpu_utilization_percentage: Option<i32>,
}

/// A Service in front of a step's pods.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("!has(self.nodePort) || (has(self.type) && self.type in ['NodePort', 'LoadBalancer'])").message("nodePort goes with type NodePort or LoadBalancer").field_path(".nodePort"))]
#[serde(rename_all = "camelCase")]
pub struct ServiceSettings {
    /// How far it reaches; ClusterIP when absent.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "type")]
    pub service_type: Option<ServiceType>,
    /// The port to listen on; 80 when absent. A headless Service maps no ports, and its pods listen on 8000: leave it out there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<i32>,
    /// The port on every node; one that the cluster chooses when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub node_port: Option<i32>,
}

impl ServiceSettings {
    /// [`ServiceSettings::port`] when absent.
    pub const DEFAULT_PORT: i32 = 80;
}

/// How far a Service reaches; when absent, ClusterIP, and Headless for a StatefulSet, whose pods have names by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ServiceType {
    /// Inside the cluster, at one address.
    #[default]
    ClusterIP,
    /// Inside the cluster, by the names of the single pods.
    Headless,
    /// On a port of every node.
    NodePort,
    /// Through the cloud's load balancer.
    LoadBalancer,
}

/// An Ingress in front of the Service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ingress {
    /// The ingress class; the cluster's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub class_name: Option<String>,
    /// The host name to answer for.
    #[schemars(length(min = 1, max = 253))]
    pub host: String,
    /// The path prefix to answer for; / when absent. The API's own paths are below it: with /v1 there is /v1/predict. Of a URL's
    /// path: letters, digits, any of -._~!$&()*+,=:@/, and all else as %XX.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 1024),
        regex(pattern = "^/([A-Za-z0-9._~!$&()*+,=:@/-]|%[0-9A-Fa-f]{2})*$")
    )]
    pub path: Option<String>,
    /// The Secret with the certificate for HTTPS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub tls_secret: Option<String>,
    /// Annotations for the ingress controller.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32))]
    pub annotations: BTreeMap<String, String>,
}

/// Callers must send the key that a Secret holds, as `Authorization: Bearer KEY` or `X-API-Key: KEY`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiKeyAuth {
    /// The Secret and the key in it.
    pub api_key_secret: SecretKey,
}

/// One entry of a Secret in the same namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretKey {
    /// The Secret's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The entry's name.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

/// Answer predictions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServeStep {
    /// The model's folder, relative to the storage folder.
    pub model: String,
    /// What the model's step reported of its content; another content is refused. Since version 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_digest: Option<Digest>,
}

impl ServeStep {
    /// The first version of the step spec that knows the kind.
    pub(crate) const SINCE: u32 = OLDEST_STEP_SPEC_VERSION;
}

impl StepWork for ServeStep {
    fn lowest_version(&self) -> u32 {
        Self::SINCE
    }

    fn delivery(&self) -> Option<(&Delivery, Format)> {
        None
    }

    fn sources(&self) -> Vec<&DataSource> {
        Vec::new()
    }

    fn uris_mut(&mut self) -> Vec<&mut String> {
        Vec::new()
    }

    fn model_digest(&self) -> Option<&Digest> {
        self.model_digest.as_ref()
    }

    fn writes(&self) -> bool {
        false
    }

    fn is_long_running(&self) -> bool {
        true
    }
}
