//! What runs and long-running pods say of results: their names, what they read, and which is the newest. Must not decide.

use std::collections::BTreeMap;

use mlpipeline_crds::{Outcome, Revision, StepReport};

use super::context::Context;
use crate::observed::{ObservedRun, RunPhase};
use crate::piece::Piece;
use crate::pipeline::ValidStep;

/// What the step's pods, or the runs of its schedule, read at this moment, by the reader's name; as far as the spec still
/// takes it from the same steps.
pub(super) fn read_now(context: &Context<'_>, step: &ValidStep) -> BTreeMap<String, Revision> {
    let Some(found) = context.observed.steps.get(&step.name) else { return BTreeMap::new() };
    let long_running = found.long_running.as_ref().filter(|_| step.is_long_running());
    let scheduled = found.schedule.as_ref().filter(|_| context.keeps_schedule(step));
    let Some(fingerprint) =
        long_running.and_then(|long_running| long_running.fingerprint.as_ref()).or(scheduled)
    else {
        return BTreeMap::new();
    };
    let sources = fingerprint.sources();
    let same = step.reads().into_iter().filter(|read| sources.get(&read.name) == Some(&read.step));
    same.filter_map(|read| Some((read.name.clone(), fingerprint.inputs.get(&read.name)?.clone()))).collect()
}

/// The name of a successful run's result.
pub(super) fn result_of(step: &ValidStep, run: &ObservedRun) -> Option<Revision> {
    if run.phase != RunPhase::Succeeded || run.piece != Piece::Commit {
        return None;
    }
    // A container of the user's names no revision: its result lies under the key.
    if !step.is_worker() {
        return Some(run.key.clone());
    }
    let reported = report_of(run).and_then(|report| report.revision.clone());
    reported.or_else(|| (!run.scheduled).then(|| run.key.clone()))
}

/// What a run reported of its result, where it reported success.
pub(super) fn report_of(run: &ObservedRun) -> Option<&StepReport> {
    let report = run.report.as_ref().filter(|_| run.piece == Piece::Commit);
    report.filter(|report| report.outcome == Outcome::Succeeded)
}

/// Orders runs from old to new: those at work last, else by when they ended, or started; the name decides between equals.
pub(super) fn age(run: &ObservedRun) -> (bool, Option<jiff::Timestamp>, &str) {
    (run.phase == RunPhase::Active, run.finished.or(run.started), run.name.as_str())
}
