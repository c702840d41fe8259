//! The general reasons of a pipeline's conditions: where all is on its way, or as the spec asks for, and no step has to be named.

/// A step is at work.
pub const RUNNING: &str = "Running";
/// Steps wait for what is before them.
pub const WAITING: &str = "Waiting";
/// The pipeline is held back by `suspend`.
pub const SUSPENDED: &str = "Suspended";
/// All steps are done.
pub const DONE: &str = "Done";
/// All steps are done, and pods answer.
pub const SERVING: &str = "Serving";

/// What `suspend` does.
pub const UNTIL_RESUMED: &str = "nothing new starts until spec.suspend is removed";

/// The reasons of a pipeline in progress.
pub const IN_PROGRESS: [&str; 2] = [RUNNING, WAITING];

/// Whether a condition's reason is one of these, which need no event.
#[must_use]
pub fn is_general(reason: &str) -> bool {
    [RUNNING, WAITING, SUSPENDED, DONE, SERVING].contains(&reason)
}
