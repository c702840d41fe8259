//! Where a pipeline keeps its artifacts. Only what builds pods and claims asks which kind it is; a plan names artifacts by their place.

use mlpipeline_crds::{AccessMode, VolumeStorage};

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

    /// How nodes may mount the volume; nothing where the spec names a claim and that was not read.
    #[must_use]
    pub fn access_modes(&self) -> Vec<AccessMode> {
        let Self::Volume(volume) = self;
        match &volume.access_modes {
            Some(modes) if !modes.is_empty() => modes.clone(),
            Some(_) | None if volume.claim_name.is_some() => Vec::new(),
            Some(_) | None => vec![AccessMode::ReadWriteOnce],
        }
    }

    /// Whether only the pods of one node can mount the volume at a time, which they write to: ReadOnlyMany beside ReadWriteOnce lets others
    /// read at best.
    #[must_use]
    pub fn is_of_one_node(&self) -> bool {
        is_of_one_node(&self.access_modes())
    }

    /// Whether that is so of a volume of the pipeline's own with that single mode, for which all versions of the pod template are alike.
    #[must_use]
    pub fn is_plainly_of_one_node(&self) -> bool {
        self.existing_claim().is_none() && self.access_modes() == [AccessMode::ReadWriteOnce]
    }

    /// The same with the modes of the claim that the spec names, as the cluster has it.
    #[must_use]
    pub fn with_claim_modes(self, modes: Vec<AccessMode>) -> Self {
        match self {
            Self::Volume(volume) if volume.claim_name.is_some() => {
                Self::Volume(VolumeStorage { access_modes: Some(modes), ..volume })
            }
            Self::Volume(_) => self,
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

/// Whether only the pods of one node can write to a claim of these modes at a time; nothing is known of an empty list.
pub(crate) fn is_of_one_node(modes: &[AccessMode]) -> bool {
    modes.contains(&AccessMode::ReadWriteOnce) && !modes.contains(&AccessMode::ReadWriteMany)
}
