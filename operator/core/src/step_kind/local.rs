//! How a laptop runs the pods of a long-running step.

/// The pods of a long-running step, as processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalPods {
    /// The names of the ports that they are reached by.
    pub ports: Vec<String>,
    /// How one is known to be ready.
    pub readiness: Readiness,
    /// How many there are.
    pub replicas: usize,
}

impl LocalPods {
    /// One process that nobody reaches.
    pub(super) fn single() -> Self {
        Self { ports: Vec::new(), readiness: Readiness::Starts, replicas: 1 }
    }
}

/// How a process is known to be ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It answers GET /ready with success.
    Http,
    /// Its first port takes connections.
    Connects,
    /// It runs.
    Starts,
}
