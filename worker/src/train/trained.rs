//! What a train step publishes.

use mlpipeline_crds::StepReport;

use crate::model::{Model, ModelError};

/// What training made.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The model.
    pub model: Model,
    /// What is published beside it for people and programs: names and bytes of files.
    pub documents: Vec<(&'static str, Vec<u8>)>,
    /// What was measured, the gate's verdict, and what the user should know; without revision and digest, which come with
    /// publishing.
    pub report: StepReport,
}

impl Trained {
    /// All files of the artifact, by name.
    ///
    /// # Errors
    /// When the model cannot be written down.
    pub fn files(&self) -> Result<Vec<(&'static str, Vec<u8>)>, ModelError> {
        Ok(self.model.files()?.into_iter().chain(self.documents.iter().cloned()).collect())
    }
}
