//! Why a step stands as it does: a value with parameters, and the machine's word for it.
//!
//! Whatever people read about a step (its status, conditions, events, rows of the cli) is rendered from this in `words.rs`,
//! and nowhere else.

mod changes;
pub mod general;
mod words;

use jiff::Timestamp;
use mlpipeline_crds::{Revision, Verdict};

use crate::change::Change;
use crate::decision::Decision;
use crate::observed::PodIssue;
use crate::piece::Piece;

pub use words::{StepEvent, action, condition, event};

/// Why a step stands as it does.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// The result is there, and nothing that it was made of has changed.
    UpToDate,
    /// A run is at work.
    AtWork,
    /// Something keeps the step's pods from working.
    PodIssue(PodIssue),
    /// Its run failed.
    RunFailed {
        /// The kind of failure in CamelCase.
        reason: String,
        /// What happened.
        message: String,
    },
    /// On a laptop, its run failed before and is tried again.
    FailedBefore {
        /// What happened then.
        message: String,
    },
    /// The gate rejects its model.
    GateRejected {
        /// The gate's verdict.
        verdict: Verdict,
    },
    /// It never ran.
    NeverRun,
    /// It runs again, since something else deleted its Job.
    RunRemoved,
    /// Its fingerprint changed since its newest run.
    SpecChanged {
        /// What changed; nothing where the run's fingerprint is not known.
        changes: Vec<Change>,
    },
    /// What it is executed with changed since its newest run, which failed or had not begun.
    SettingsChanged {
        /// The fields that changed.
        fields: Vec<String>,
        /// Whether the run had failed, rather than not begun.
        has_failed: bool,
    },
    /// The pieces of its run that come before this one are done.
    PieceDone {
        /// The last of them.
        piece: Piece,
    },
    /// It has no schedule any more, and runs once.
    ScheduleRemoved,
    /// Its run is gone.
    RunGone {
        /// Whether some other step is known to have read its artifact.
        was_read: bool,
    },
    /// Its run succeeded, and nobody can read its report.
    ReportMissing {
        /// Whether the step runs again for that, rather than at the next time of its schedule.
        is_repeated: bool,
    },
    /// So many of its runs succeeded without a report that another one would not help.
    ReportsMissing {
        /// How many.
        runs: usize,
    },
    /// A later run delivered something else to the place that it delivers to.
    Overwritten {
        /// The place.
        place: String,
    },
    /// Something that it reads is not there yet.
    WaitsForInputs,
    /// A step that it reads or follows is not done yet.
    WaitsFor {
        /// That step.
        step: String,
    },
    /// A step with a schedule has not run yet.
    WaitsForFirstRun {
        /// That step.
        step: String,
    },
    /// A step that it reads has ended without a result, or will not get to one.
    InputStopped {
        /// That step.
        step: String,
        /// How it stands.
        decision: Decision,
    },
    /// A step that it follows has ended otherwise than well, or will not get to an end.
    PredecessorStopped {
        /// That step.
        step: String,
        /// How it stands.
        decision: Decision,
    },
    /// A step with a schedule, which it reads, never had a result, and something keeps it from one.
    InputHasReason {
        /// That step.
        step: String,
        /// Why it has none.
        reason: Box<Reason>,
    },
    /// The gate rejects the only model that there is.
    ModelRejected {
        /// The train step.
        step: String,
        /// The gate's verdict.
        verdict: Box<Reason>,
    },
    /// A step that it names does not exist.
    NoSuchStep {
        /// The name.
        step: String,
    },
    /// A step that it reads is done and has no result.
    NoResult {
        /// That step.
        step: String,
    },
    /// The pipeline is suspended.
    Suspended,
    /// The step's schedule is suspended, and here it would run once.
    ScheduleSuspended,
    /// It runs at the times of its schedule.
    Scheduled(Scheduled),
    /// A run of its schedule does not come to its end, or the schedule does not come to a run: somebody should look.
    ScheduleHeldUp {
        /// How the run stands.
        cause: Box<Reason>,
        /// The first of the schedule's times that passed while that run was at work, where one did.
        missed: Option<Timestamp>,
        /// The run, where one holds the schedule up.
        run: Option<String>,
    },
    /// Each run of its schedule is replaced by the next before it ends, so that none ever does: somebody should look.
    RunsReplaced {
        /// How the step stands besides.
        cause: Box<Reason>,
        /// How many runs, one after the other.
        runs: i32,
    },
    /// Pods are replaced by those of another model.
    RollsOut {
        /// The model.
        model: Revision,
    },
    /// Some of its pods are not ready.
    PodsStarting {
        /// Pods that are.
        ready: i32,
        /// Pods that are wanted.
        desired: i32,
    },
    /// All of its pods are ready.
    PodsReady {
        /// How many.
        ready: i32,
    },
    /// All of its pods are ready, and serve a model.
    PodsServe {
        /// How many.
        ready: i32,
        /// The model.
        model: Revision,
        /// Where it is not the model of the train step as that is now.
        newer: Option<NewerModel>,
    },
    /// Its pods are ready, and the autoscaler does not set their number.
    NotAutoscaled {
        /// How the pods stand.
        pods: Box<Reason>,
        /// Why not.
        why: PodIssue,
    },
    /// Its pods are ready, and have no address outside the cluster though the spec asks for one.
    NoExternalAddress {
        /// How the pods stand.
        pods: Box<Reason>,
        /// Why not.
        why: PodIssue,
    },
    /// Its pods continue as they are, since something newer cannot be had.
    Keeps {
        /// The model that they serve, where they serve one.
        model: Option<Revision>,
        /// Why.
        held: Box<Reason>,
    },
    /// On a laptop, it runs while `local` does.
    RunsWithLocal,
}

/// Why pods serve a model although the train step, as it is now, has another one or rejects this one.
#[derive(Clone, Debug, PartialEq)]
pub enum NewerModel {
    /// The gate, as it is now, rejects the model that is served.
    ServedIsRejected {
        /// Its verdict.
        verdict: Box<Reason>,
    },
    /// The newer one is not usable, or not there yet.
    IsNotUsable {
        /// The train step.
        step: String,
        /// How it stands.
        decision: Decision,
    },
}

/// How a step with a schedule stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Scheduled {
    /// When it runs next.
    pub next: NextRun,
    /// What the next run takes up: what was edited since its last run.
    pub changes: Vec<Change>,
    /// What became of its last run, where that is worth saying; or what keeps a newer input from it.
    pub last: Option<Box<Reason>>,
    /// Whether the schedule continues with what it read, since something newer cannot be had.
    pub keeps_inputs: bool,
}

/// When a schedule fires next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextRun {
    /// At this time.
    At(Timestamp),
    /// Not while it is suspended.
    Suspended,
    /// Never: no such time exists.
    Never,
}

/// The code of a run that something else deleted.
pub const RUN_REMOVED: &str = "RunRemoved";

/// The code of pods that answer while their autoscaler does not work.
pub const NOT_AUTOSCALED: &str = "NotAutoscaled";

/// The code of pods that answer inside the cluster alone, though a load balancer is asked for.
pub const NO_EXTERNAL_ADDRESS: &str = "NoExternalAddress";

impl Reason {
    /// The machine's word for the reason, in CamelCase. It stays when sentences are worded anew.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::UpToDate => "UpToDate",
            Self::AtWork => "AtWork",
            Self::PodIssue(issue) => &issue.reason,
            Self::RunFailed { reason, .. } => reason,
            Self::FailedBefore { .. } => "FailedBefore",
            Self::GateRejected { .. } => "GateRejected",
            Self::NeverRun => "NeverRun",
            Self::SpecChanged { .. } => "SpecChanged",
            Self::SettingsChanged { .. } => "SettingsChanged",
            Self::PieceDone { .. } => "PieceDone",
            Self::ScheduleRemoved => "ScheduleRemoved",
            Self::RunGone { .. } => "RunGone",
            Self::RunRemoved => RUN_REMOVED,
            Self::ReportMissing { .. } => "ReportMissing",
            Self::ReportsMissing { .. } => "ReportsMissing",
            Self::Overwritten { .. } => "Overwritten",
            Self::WaitsForInputs => "WaitsForInputs",
            Self::WaitsFor { .. } => "WaitsForStep",
            Self::WaitsForFirstRun { .. } => "WaitsForFirstRun",
            Self::InputStopped { .. } => "InputStopped",
            Self::PredecessorStopped { .. } => "PredecessorStopped",
            Self::InputHasReason { reason, .. } => reason.code(),
            Self::ModelRejected { .. } => "ModelRejected",
            Self::NoSuchStep { .. } => "NoSuchStep",
            Self::NoResult { .. } => "NoResult",
            Self::Suspended => general::SUSPENDED,
            Self::ScheduleSuspended => "ScheduleSuspended",
            Self::Scheduled(scheduled) => scheduled.code(),
            Self::ScheduleHeldUp { missed: Some(_), cause, .. } if **cause == Self::AtWork => "RunsMissed",
            Self::ScheduleHeldUp { cause, .. } => cause.code(),
            Self::RunsReplaced { .. } => "RunsReplaced",
            Self::RollsOut { .. } => "RollsOut",
            Self::PodsStarting { .. } => "PodsStarting",
            Self::PodsReady { .. } => "PodsReady",
            Self::PodsServe { .. } => "PodsServe",
            Self::NotAutoscaled { .. } => NOT_AUTOSCALED,
            Self::NoExternalAddress { .. } => NO_EXTERNAL_ADDRESS,
            Self::Keeps { held, .. } => held.code(),
            Self::RunsWithLocal => "RunsWithLocal",
        }
    }
}

impl Scheduled {
    /// What stands in the way, where something does: a run that failed before an edit does not, since the edit may well cure it.
    fn code(&self) -> &str {
        match &self.last {
            Some(last) if !self.is_failure_before_edit() => last.code(),
            Some(_) | None => "Scheduled",
        }
    }

    /// Whether the last run failed, and the step was edited since.
    fn is_failure_before_edit(&self) -> bool {
        !self.changes.is_empty() && matches!(self.last.as_deref(), Some(Reason::RunFailed { .. }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_around_others_are_called_by_the_cause() {
        let cause = || Box::new(Reason::RunFailed { reason: "OutOfMemory".into(), message: "it did".into() });
        let scheduled = |changes: Vec<Change>| {
            Reason::Scheduled(Scheduled {
                next: NextRun::Never,
                changes,
                last: Some(cause()),
                keeps_inputs: false,
            })
        };
        assert_eq!(Reason::Keeps { model: None, held: cause() }.code(), "OutOfMemory");
        assert_eq!(scheduled(Vec::new()).code(), "OutOfMemory");
        assert_eq!(
            scheduled(vec![Change::InputAdded { input: "b".into() }]).code(),
            "Scheduled",
            "the edit may well cure it"
        );
    }
}
