//! How a step stands, as the plan decides it. Must not say why: [`crate::reason::Reason`] does.

use mlpipeline_crds::StepState;
use serde::Serialize;

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Decision {
    /// What the step should bring about is there.
    Done,
    /// A run must be started now.
    Run,
    /// A run is at work, or pods are being rolled out.
    Running,
    /// Waits for another step, for its time, or for the end of a suspension.
    Wait,
    /// Cannot continue until another step is fixed.
    Blocked,
    /// Its model did not pass the gate, so nobody may use it.
    Rejected,
    /// It failed, and another attempt at the same would fail again.
    Failed,
}

impl Decision {
    /// The decision in the words of the resource's status.
    #[must_use]
    pub fn state(self, is_long_running: bool, is_suspended: bool) -> StepState {
        match self {
            Self::Done if is_long_running => StepState::Serving,
            Self::Done => StepState::Done,
            Self::Run | Self::Running => StepState::Running,
            Self::Wait if is_suspended => StepState::Suspended,
            Self::Wait => StepState::Waiting,
            Self::Blocked => StepState::Blocked,
            Self::Rejected => StepState::Rejected,
            Self::Failed => StepState::Failed,
        }
    }
}
