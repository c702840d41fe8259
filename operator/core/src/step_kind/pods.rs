//! How many pods a long-running step has, and how they are reached.

use mlpipeline_crds::ServiceType;

/// How many pods a long-running step has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replicas {
    /// As many.
    Fixed(i32),
    /// As many as an autoscaler sets.
    Autoscaled {
        /// The fewest.
        fewest: i32,
    },
    /// One, and no second one beside it, not even while it is replaced.
    OneAtATime,
}

impl Replicas {
    /// As many as there are at least.
    #[must_use]
    pub fn fewest(self) -> i32 {
        match self {
            Self::Fixed(count) | Self::Autoscaled { fewest: count } => count,
            Self::OneAtATime => 1,
        }
    }
}

/// The Service of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// Its type.
    pub service_type: ServiceType,
    /// Its ports; none of a headless Service that only gives names.
    pub ports: Vec<ExposedPort>,
    /// Whether clients reach the pods of their own node only.
    pub only_own_node: bool,
}

/// A port of a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExposedPort {
    /// The name.
    pub name: String,
    /// The port of the Service; of a headless one, which leads straight to the pods, their own.
    pub port: i32,
    /// The name of the pods' port that it leads to.
    pub target: String,
    /// The port of the nodes, where the spec names it.
    pub node_port: Option<i32>,
}
