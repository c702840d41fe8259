//! The versions of what is handed to the worker.

/// The first version that names artifacts by their digests. A worker that reads it also answers probes on a port of their own.
pub const DIGESTS_VERSION: u32 = 4;

/// The first version whose train steps say how to tune, and the parameters of algorithms and of columns that came with it.
pub const TUNING_VERSION: u32 = 5;

/// The oldest version that a worker of this release still reads.
pub const OLDEST_STEP_SPEC_VERSION: u32 = 1;

/// The newest version of which something new can be said of a kind that was there before.
pub(crate) const NEWEST_FIELD_VERSION: u32 = TUNING_VERSION;
