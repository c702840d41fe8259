//! Runs that ended well: done, or rejected by the gate.

use super::context::entry;
use super::model;
use super::runs::{report_of, result_of};
use super::step_plan::StepPlan;
use crate::decision::Decision;
use crate::observed::ObservedRun;
use crate::pipeline::ValidStep;
use crate::reason::Reason;

/// The decision for a run that ended well: done, or rejected by the gate.
pub(super) fn finished(step: &ValidStep, run: &ObservedRun) -> StepPlan {
    let verdict = report_of(run).map(|report| model::judge(step, report));
    let (decision, reason) = match verdict.filter(|verdict| !verdict.passed()) {
        Some(verdict) => (Decision::Rejected, Reason::GateRejected { verdict }),
        None => (Decision::Done, Reason::UpToDate),
    };
    StepPlan { revision: result_of(step, run), ..entry(step, decision, reason) }
}
