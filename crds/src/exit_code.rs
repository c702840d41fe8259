//! The worker's exit codes, shared so that a Job's `podFailurePolicy` can never disagree with the worker.

/// How a worker process ended. Wrong spec and wrong data fail at once, since no retry can fix them; lost storage and
/// internal errors are retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// The step is done and its artifact is complete.
    Done = 0,
    /// Something unforeseen; retried.
    Internal = 1,
    /// The step asks for what cannot be; not retried.
    WrongSpec = 2,
    /// The data are not what the step was promised; not retried.
    WrongData = 3,
    /// Storage or network did not answer, or is full; retried.
    StorageUnavailable = 4,
}

impl ExitCode {
    /// The codes after which another attempt is pointless.
    pub const FINAL_FAILURES: [ExitCode; 2] = [ExitCode::WrongSpec, ExitCode::WrongData];

    /// The number that the process ends with.
    #[must_use]
    pub fn code(self) -> i32 {
        i32::from(self as u8)
    }

    /// The meaning of a process's exit code, where it is one of ours.
    #[must_use]
    pub fn from_code(code: i32) -> Option<Self> {
        [Self::Done, Self::Internal, Self::WrongSpec, Self::WrongData, Self::StorageUnavailable]
            .into_iter()
            .find(|known| known.code() == code)
    }

    /// Whether a further attempt could end differently.
    #[must_use]
    pub fn retries(self) -> bool {
        matches!(self, Self::Internal | Self::StorageUnavailable)
    }
}
