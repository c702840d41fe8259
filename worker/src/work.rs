//! What each kind of step's work is called by. Must not know any of them.

use mlpipeline_crds::{StepReport, StepSpec};

use crate::WorkContext;
use crate::failure::StepError;

/// The work of one kind of step. `Serving` is what the process was started with for a step that serves, which others leave alone.
pub(crate) trait Work<Serving> {
    /// Does it and publishes its result.
    ///
    /// # Errors
    /// Whatever the kind answers.
    async fn work(
        &self,
        spec: &StepSpec,
        context: &WorkContext,
        serving: &Serving,
    ) -> Result<StepReport, StepError>;
}
