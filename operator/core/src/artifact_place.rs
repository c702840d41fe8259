//! Where an artifact is, relative to the pipeline's storage, whatever kind of storage that is.

use std::fmt;

use mlpipeline_crds::Revision;

use super::pipeline::ValidatedPipeline;

/// The place of one artifact. Printed, it is namespace/pipeline/step/revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArtifactPlace {
    namespace: String,
    pipeline: String,
    step: String,
    revision: Revision,
}

impl ArtifactPlace {
    /// The place of a revision of a step's.
    #[must_use]
    pub fn new(pipeline: &ValidatedPipeline, step: &str, revision: &Revision) -> Self {
        Self {
            namespace: pipeline.namespace.clone(),
            pipeline: pipeline.name.clone(),
            step: step.to_owned(),
            revision: revision.clone(),
        }
    }
}

impl fmt::Display for ArtifactPlace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}/{}/{}", self.namespace, self.pipeline, self.step, self.revision)
    }
}
