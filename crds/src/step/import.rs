//! import — a model that was made elsewhere.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::step_work::StepWork;
use crate::{DataSource, Delivery, Digest, Format, TUNING_VERSION};

/// Take a model that was made elsewhere, check it, and publish it as a train step publishes one: serve and score steps then use it
/// alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Import {
    /// The file, in the format ONNX. The graph takes raw columns: one input each, or a matrix of numbers.
    pub onnx: ModelFile,
    /// The name of what is predicted: answers are called after it, as after the target of a train step.
    #[schemars(length(min = 1, max = 256))]
    pub target: String,
    /// The names of the columns that the graph takes, in its order. They are needed where an input has several columns; the names of the
    /// inputs when absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4096), extend("x-kubernetes-list-type" = "atomic"), inner(length(min = 1, max = 256)))]
    pub features: Vec<String>,
    /// The classes, as text, in the order of the graph's scores. They are needed where the graph does not name them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000), extend("x-kubernetes-list-type" = "atomic"), inner(length(max = 1024)))]
    pub classes: Vec<String>,
    /// Whether the scores become probabilities by softmax (by the logistic function, where there is one score for two classes): those of
    /// a neural network that ends without it. No when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub softmax: Option<bool>,
}

/// A file of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("self.uri.matches('^(https?|s3|file):')").message("a model is read from http://, https://, s3:// or file:PATH").field_path(".uri"))]
#[serde(rename_all = "camelCase")]
pub struct ModelFile {
    /// Where the file is: http(s)://…, s3://BUCKET/KEY, or file:PATH, a path on the pipeline's volume.
    #[schemars(length(min = 1, max = 2048))]
    pub uri: String,
    /// Refuse any file but the one with this SHA-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 64, max = 64), regex(pattern = "^[0-9a-f]{64}$"))]
    pub sha256: Option<String>,
    /// The Secret, in the pipeline's namespace, with the credentials for the uri, as for an input of a prepare step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub secret: Option<String>,
}

/// Publish a model that was made elsewhere; since version 5.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportStep {
    /// Where the ONNX file is.
    pub uri: String,
    /// The only content that is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// What the names of the environment variables with the credentials begin with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
    /// The name of what is predicted.
    pub target: String,
    /// The names of the graph's columns; those of its inputs when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// The classes, where the graph does not name them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// Whether scores become probabilities by softmax.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub softmax: bool,
}

impl ImportStep {
    /// The first version of the step spec that knows the kind.
    pub(crate) const SINCE: u32 = TUNING_VERSION;
}

impl StepWork for ImportStep {
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
        vec![&mut self.uri]
    }

    fn model_digest(&self) -> Option<&Digest> {
        None
    }

    fn writes(&self) -> bool {
        true
    }

    fn is_long_running(&self) -> bool {
        false
    }
}
