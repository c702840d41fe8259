//! Where a pipeline keeps its artifacts. Only what builds pods and claims asks which kind it is; a plan names artifacts by their place.

use mlpipeline_crds::VolumeStorage;

/// Where a pipeline keeps its artifacts.
#[derive(Clone, Debug, PartialEq)]
pub enum Storage {
    /// On a volume that its pods mount.
    Volume(VolumeStorage),
}

impl Storage {
    /// Whether the spec asks for storage, whatever its steps need.
    #[must_use]
    pub fn is_asked_for(&self) -> bool {
        match self {
            Self::Volume(volume) => *volume != VolumeStorage::default(),
        }
    }

    /// The claim that the spec names, where it is not the pipeline's own.
    #[must_use]
    pub fn existing_claim(&self) -> Option<&str> {
        match self {
            Self::Volume(volume) => volume.claim_name.as_deref(),
        }
    }

    /// Whether what is stored outlives the pipeline.
    #[must_use]
    pub fn outlives_pipeline(&self) -> bool {
        match self {
            Self::Volume(volume) => volume.retain.unwrap_or_default(),
        }
    }
}
