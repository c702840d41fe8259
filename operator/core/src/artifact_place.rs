//! Where an artifact is, relative to the pipeline's storage, whatever kind of storage that is.

use std::fmt;

use mlpipeline_crds::Revision;

/// The place of one artifact. Printed, it is namespace/pipeline/step/revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArtifactPlace {
    namespace: String,
    pipeline: String,
    step: String,
    revision: Revision,
}

impl ArtifactPlace {
    /// The place of a revision of a step of the pipeline of this namespace and name.
    #[must_use]
    pub fn new(namespace: &str, pipeline: &str, step: &str, revision: &Revision) -> Self {
        Self {
            namespace: namespace.to_owned(),
            pipeline: pipeline.to_owned(),
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
