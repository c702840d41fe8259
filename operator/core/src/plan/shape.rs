//! The shape of a run: how many pods it takes, how they are distinguished, how often they are repeated, and which of them speaks for it.
//! The plan decides it; who builds a Job or starts processes only carries it out.

use std::time::Duration;

use mlpipeline_crds::RestartPolicy;

use crate::piece::Piece;
use crate::pipeline::ValidStep;

/// The shape of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// How many pods must succeed; `None` where they share a queue, and one success with all ended is the end.
    pub completions: Option<i32>,
    /// How many pods work at the same time; one when absent.
    pub parallelism: Option<i32>,
    /// Whether each completion has a number, from 0.
    pub is_indexed: bool,
    /// How often failures are repeated.
    pub retries: Retries,
    /// Whether a failed container is restarted in its pod, rather than the pod replaced.
    pub restart_policy: RestartPolicy,
    /// The longest that all attempts together may take.
    pub timeout: Option<Duration>,
}

/// How often failures are repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retries {
    /// As often in all, whichever pod fails.
    Total(u32),
    /// As often for each index, so that one bad shard does not use up what the others have.
    PerIndex(u32),
}

/// Which pod's report is the run's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The last one to succeed: the only one, or the one that saw the work of the others done.
    LastSucceeded,
    /// The one of this index.
    Index(u32),
}

impl Shape {
    /// The shape of a piece of a step's run.
    #[must_use]
    pub fn of(step: &ValidStep, piece: Piece) -> Self {
        if let Some(pods) = step.pods_of(piece) {
            let pods = i32::try_from(pods).ok();
            return Self {
                completions: pods,
                parallelism: pods,
                is_indexed: true,
                // A pod that fails for itself must not use up what the others have.
                retries: Retries::PerIndex(step.retries),
                restart_policy: RestartPolicy::default(),
                timeout: step.timeout,
            };
        }
        let run = step.action.descriptor().container();
        Self {
            completions: run.and_then(|run| run.completions),
            parallelism: run.and(step.parallelism),
            is_indexed: step.is_indexed(),
            retries: Retries::Total(step.retries),
            restart_policy: run.and_then(|run| run.restart_policy).unwrap_or_default(),
            timeout: step.timeout,
        }
    }
}

impl Speaker {
    /// Who speaks for a run, by whether its pods have a number each. Pods with numbers do equal work, and the first one stands
    /// for all, so that the same report is read whichever pod ends first.
    #[must_use]
    pub fn of(is_indexed: bool) -> Self {
        if is_indexed { Self::Index(0) } else { Self::LastSucceeded }
    }
}
