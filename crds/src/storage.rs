//! Where a pipeline keeps its datasets, models and results.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much a pipeline's volume holds when the spec does not say.
pub const DEFAULT_VOLUME_SIZE: &str = "1Gi";

/// Where datasets, models and results live.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Storage {
    /// A volume that the pipeline's pods share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<VolumeStorage>,
}

/// A PersistentVolumeClaim: one of the pipeline's own, or one that is there already.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("!has(self.claimName) || !(has(self.size) || has(self.storageClassName) || has(self.accessModes) || has(self.retain))").message("claimName names a claim that is there already: leave out size, storageClassName, accessModes and retain"))]
#[serde(rename_all = "camelCase")]
pub struct VolumeStorage {
    /// How much to ask for; 1Gi when absent. It can grow later where the storage class allows it; a volume that is there
    /// never shrinks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Quantity>,
    /// The storage class; the cluster's default when absent. Empty for a volume that somebody made by hand: none is made then. A
    /// volume that is there keeps its class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub storage_class_name: Option<String>,
    /// How nodes may mount it; ReadWriteOnce when absent. A volume that is there keeps its modes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4))]
    pub access_modes: Option<Vec<AccessMode>>,
    /// An existing claim in the same namespace to use in place of one of our own. It is never deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub claim_name: Option<String>,
    /// Keep the claim when the pipeline is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retain: Option<bool>,
}

/// How nodes may mount a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AccessMode {
    /// Read and write by the pods of one node.
    ReadWriteOnce,
    /// Read and write by one pod.
    ReadWriteOncePod,
    /// Read and write by many nodes.
    ReadWriteMany,
    /// Read by many nodes.
    ReadOnlyMany,
}

impl AccessMode {
    /// Every mode.
    pub const ALL: [Self; 4] =
        [Self::ReadWriteOnce, Self::ReadWriteOncePod, Self::ReadWriteMany, Self::ReadOnlyMany];

    /// The mode as Kubernetes writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadWriteOnce => "ReadWriteOnce",
            Self::ReadWriteOncePod => "ReadWriteOncePod",
            Self::ReadWriteMany => "ReadWriteMany",
            Self::ReadOnlyMany => "ReadOnlyMany",
        }
    }

    /// The mode of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}
