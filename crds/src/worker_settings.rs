//! Which variables of the worker pods may set, and which are the operator's own: part of what the two agree on.

/// What the names of all variables of mlpipeline begin with.
pub const VARIABLE_PREFIX: &str = "MLPIPELINE_";

/// The settings of the worker that a pipeline may set for its pods, without the prefix. All other names with the prefix are set by the
/// operator or by `local`: where storage is, which folders and credentials a step has, where it listens.
pub const WORKER_SETTINGS: [&str; 19] = [
    "ALLOW_ADDRESSES",
    "CONNECT_TIMEOUT",
    "FETCH_ATTEMPTS",
    "FETCH_BACKOFF",
    "FETCH_TIMEOUT",
    "IDLE_TIMEOUT",
    "LOG_FORMAT",
    "MAX_DOWNLOAD",
    "MEMORY_LIMIT",
    "SCRATCH",
    "SERVE_API_KEY_ENV",
    "SERVE_BODY_TIMEOUT",
    "SERVE_DOCS_NEED_KEY",
    "SERVE_DRAIN_DELAY",
    "SERVE_HEAD_TIMEOUT",
    "SERVE_MAX_BODY",
    "SERVE_MAX_CONNECTIONS",
    "SERVE_MAX_ROWS",
    "SERVE_SHUTDOWN_TIMEOUT",
];

/// The variables of the worker that are not a pipeline's to set, without the prefix.
pub const RESERVED_SETTINGS: [&str; 8] = [
    "API_KEY",
    "FILES",
    "REPORT",
    "SERVE_LISTEN",
    "SERVE_PATH_PREFIX",
    "SERVE_PROBE_LISTEN",
    "STEP",
    "STORAGE",
];
