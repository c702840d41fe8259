//! The record of one run, which stands in for a Job.

use jiff::Timestamp;
use mlpipeline_core::fingerprint::Fingerprint;
use mlpipeline_core::observed::{ObservedRun, RunPhase};
use mlpipeline_core::piece::Piece;
use mlpipeline_crds::{Revision, StepReport};
use serde::{Deserialize, Serialize};

/// One run of a step. Holds nothing that is secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunRecord {
    /// The name that the run's Job would have.
    pub name: String,
    /// What the run is for; see the core's plan.
    pub key: Revision,
    /// 1 for the first run of a key.
    pub attempt: u32,
    /// Which piece of the run it is.
    #[serde(default)]
    pub piece: Piece,
    /// Whether a schedule started it.
    pub scheduled: bool,
    /// Whether the worker does it, rather than a container of the user's.
    pub is_workers: bool,
    /// The step's fingerprint when the run was started. Version 0.1.0 called it `meaning`.
    #[serde(alias = "meaning")]
    pub fingerprint: Fingerprint,
    /// Its phase.
    pub phase: Phase,
    /// When it started.
    pub started: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<Timestamp>,
    /// How many processes it started so far.
    pub pods: u32,
    /// The worker's report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<StepReport>,
}

/// The phase of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// Running.
    Active,
    /// Ended with success.
    Succeeded,
    /// Ended with a failure.
    Failed {
        /// The kind of failure in CamelCase.
        reason: String,
        /// What happened, for people.
        message: String,
    },
}

impl RunRecord {
    /// The name of the result: what the worker reported, else the key.
    #[must_use]
    pub fn result(&self) -> &Revision {
        self.report.as_ref().and_then(|report| report.revision.as_ref()).unwrap_or(&self.key)
    }

    /// The run as the core sees it.
    #[must_use]
    pub fn observed(&self) -> ObservedRun {
        ObservedRun {
            name: self.name.clone(),
            key: self.key.clone(),
            attempt: self.attempt,
            piece: self.piece,
            scheduled: self.scheduled,
            fingerprint: Some(self.fingerprint.clone()),
            // A failed run is tried again each time anyway.
            settings: None,
            default_image: None,
            is_idle: false,
            created: None,
            phase: match &self.phase {
                Phase::Active => RunPhase::Active,
                Phase::Succeeded => RunPhase::Succeeded,
                Phase::Failed { reason, message } => {
                    RunPhase::Failed { reason: reason.clone(), message: message.clone() }
                }
            },
            started: Some(self.started),
            finished: self.finished,
            pods: self.pods,
            report: self.report.clone(),
            pending_report: None,
        }
    }
}
