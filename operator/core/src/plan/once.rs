//! The decision for a step that runs to completion, once.

use mlpipeline_crds::Revision;

use super::changed_settings::changed;
use super::context::{Context, entry, pod_issue};
use super::finished::finished;
use super::held_back::held_back;
use super::inputs::Inputs;
use super::outside_inputs::way_out;
use super::retry::retry;
use super::runs::{age, report_of};
use super::start::start;
use super::step_plan::StepPlan;
use crate::decision::Decision;
use crate::fingerprint::Fingerprint;
use crate::observed::{ObservedRun, RunPhase};
use crate::piece::Piece;
use crate::pipeline::ValidStep;
use crate::reason::Reason;

/// How many runs of one key may end without a report before that counts as a failure.
const MAX_LOST_REPORTS: usize = 3;

/// Decides what to do about a step that runs to completion, once.
pub(super) fn decide(context: &Context<'_>, step: &ValidStep, inputs: &Inputs) -> StepPlan {
    let Some(revisions) = inputs.known() else {
        return held_back(context, step, inputs)
            .unwrap_or_else(|| entry(step, Decision::Wait, Reason::WaitsForInputs));
    };
    let fingerprint = Fingerprint::of(context.pipeline, step, revisions);
    let key = fingerprint.key();
    let of_key: Vec<&ObservedRun> = usable_runs(context, step).filter(|run| run.key == key).collect();
    let pieces: Vec<Piece> = step.pieces().into_iter().map(|planned| planned.piece).collect();
    let Stage { piece, newest, done } = stage(&pieces, &of_key);
    let by_content = step.schedule.is_some();
    let named =
        |plan: StepPlan| StepPlan { revision: plan.revision.or((!by_content).then(|| key.clone())), ..plan };
    if let Some(plan) = newest.and_then(|run| retry(context, step, inputs, &fingerprint, run)) {
        return named(plan);
    }
    if let Some(run) = newest {
        let plan = decide_by_run(context, step, &fingerprint, run);
        return named(StepPlan { run: Some(run.name.clone()), ..plan });
    }
    if let Some(plan) = held_back(context, step, inputs) {
        return named(plan);
    }
    let reason = match done {
        Some(piece) => Reason::PieceDone { piece },
        None => {
            // Its Jobs are of pieces that the step does not have any more, since its settings were changed.
            match of_key.iter().map(|run| changed(context, step, run)).find(|fields| !fields.is_empty()) {
                Some(fields) => Reason::SettingsChanged { fields, has_failed: false },
                None => why(context, step, &fingerprint),
            }
        }
    };
    named(start(context, step, fingerprint, piece, 1, reason))
}

/// Where a run stands among its pieces.
#[derive(Debug, PartialEq)]
struct Stage<'a> {
    /// The piece that it has come to.
    piece: Piece,
    /// The newest Job of that piece, where there is one.
    newest: Option<&'a ObservedRun>,
    /// The piece that was done just before, where this one begins for that.
    done: Option<Piece>,
}

/// Where a run stands, by its Jobs. The latest piece that has a Job decides: Jobs of earlier ones may be gone by then.
fn stage<'a>(pieces: &[Piece], runs: &[&'a ObservedRun]) -> Stage<'a> {
    let newest = |piece: Piece| {
        let of_piece = runs.iter().copied().filter(|run| run.piece == piece);
        of_piece.max_by(|left, right| (left.attempt, age(left)).cmp(&(right.attempt, age(right))))
    };
    let mut next = None;
    for piece in pieces.iter().rev().copied() {
        if let Some(run) = newest(piece) {
            return match next.filter(|_| run.phase == RunPhase::Succeeded) {
                Some(next) => Stage { piece: next, newest: None, done: Some(piece) },
                None => Stage { piece, newest: Some(run), done: None },
            };
        }
        next = Some(piece);
    }
    Stage { piece: next.unwrap_or_default(), newest: None, done: None }
}

/// The runs that count for a step. Those of a schedule that the step no longer has do not: they go with their CronJob.
fn usable_runs<'a>(context: &'a Context<'_>, step: &'a ValidStep) -> impl Iterator<Item = &'a ObservedRun> {
    context.runs(step).iter().filter(|run| !run.scheduled || step.schedule.is_some())
}

/// What follows from the newest run of the step as it is now.
fn decide_by_run(
    context: &Context<'_>,
    step: &ValidStep,
    fingerprint: &Fingerprint,
    run: &ObservedRun,
) -> StepPlan {
    let again = |reason| {
        let attempt = run.attempt.saturating_add(1);
        start(context, step, fingerprint.clone(), run.piece, attempt, reason)
    };
    match &run.phase {
        RunPhase::Active => {
            entry(step, Decision::Running, pod_issue(context, step).unwrap_or(Reason::AtWork))
        }
        RunPhase::Failed { reason, message } => {
            let message = format!("{message}{}", way_out(step, reason));
            let reason = Reason::RunFailed { reason: reason.clone(), message };
            entry(step, Decision::Failed, reason)
        }
        RunPhase::Succeeded if report_of(run).is_some() || !step.is_worker() => {
            match overwritten(context, step, fingerprint, run) {
                Some(place) => again(Reason::Overwritten { place }),
                None => finished(step, run),
            }
        }
        RunPhase::Succeeded => {
            // Only runs whose report nobody has: others of the key may have begun to deliver it again.
            let lost = usable_runs(context, step)
                .filter(|other| other.key == run.key && other.piece == run.piece)
                .filter(|other| other.phase == RunPhase::Succeeded)
                .filter(|other| report_of(other).is_none())
                .count();
            if lost >= MAX_LOST_REPORTS {
                return entry(step, Decision::Failed, Reason::ReportsMissing { runs: lost });
            }
            again(Reason::ReportMissing { is_repeated: true })
        }
    }
}

/// The place outside of storage that a run delivered to, where a later run of another key may have delivered there too: going
/// back to an earlier spec finds its artifact, and must bring it there once more.
fn overwritten(
    context: &Context<'_>,
    step: &ValidStep,
    fingerprint: &Fingerprint,
    run: &ObservedRun,
) -> Option<String> {
    let place = fingerprint.replaces()?;
    let mut later = usable_runs(context, step).filter(|other| other.key != run.key && age(other) > age(run));
    let delivered = |other: &ObservedRun| {
        other.fingerprint.as_ref().is_none_or(|fingerprint| fingerprint.replaces().as_ref() == Some(&place))
    };
    later.any(delivered).then(|| place.clone())
}

/// Why the step runs: what changed since its newest run.
fn why(context: &Context<'_>, step: &ValidStep, fingerprint: &Fingerprint) -> Reason {
    if was_read(context, step, &fingerprint.key()) {
        return Reason::RunGone { was_read: true };
    }
    let before = usable_runs(context, step)
        .filter(|run| run.fingerprint.is_some())
        .max_by(|left, right| age(left).cmp(&age(right)))
        .and_then(|run| run.fingerprint.as_ref());
    match before {
        None if context.runs(step).iter().any(|run| run.scheduled) => Reason::ScheduleRemoved,
        None => Reason::NeverRun,
        Some(earlier) => match fingerprint.changes(earlier) {
            changes if changes.is_empty() => Reason::RunGone { was_read: false },
            changes => Reason::SpecChanged { changes },
        },
    }
}

/// Whether some step is known to have read this result: then it was there once.
fn was_read(context: &Context<'_>, step: &ValidStep, revision: &Revision) -> bool {
    context.pipeline.steps.iter().any(|reader| {
        let Some(found) = context.observed.steps.get(&reader.name) else { return false };
        let runs = found.runs.iter().filter_map(|run| run.fingerprint.as_ref());
        let fingerprints = runs
            .chain(found.long_running.as_ref().and_then(|long_running| long_running.fingerprint.as_ref()));
        fingerprints.into_iter().any(|fingerprint| {
            let sources = fingerprint.sources();
            let mut inputs = fingerprint.inputs.iter();
            inputs.any(|(name, read)| read == revision && sources.get(name) == Some(&step.name))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(piece: Piece, attempt: u32, phase: RunPhase) -> ObservedRun {
        ObservedRun {
            name: format!("{}-{attempt}", piece.name()),
            key: Revision::of(&["key"]),
            attempt,
            piece,
            scheduled: false,
            fingerprint: None,
            settings: None,
            default_image: None,
            phase,
            is_idle: false,
            created: None,
            started: None,
            finished: None,
            pods: 1,
            report: None,
            pending_report: None,
        }
    }

    #[test]
    fn the_pieces_of_a_run_are_done_one_after_the_other_and_never_again_once_a_later_one_began() {
        let failed = || RunPhase::Failed { reason: "Failed".into(), message: "no".into() };
        let trials = |attempt, phase| job(Piece::Trials, attempt, phase);
        let commit = |phase| job(Piece::Commit, 1, phase);
        let rows = [
            ("nothing yet", vec![], (Piece::Trials, None, false)),
            ("at work", vec![trials(1, RunPhase::Active)], (Piece::Trials, Some(0), false)),
            ("failed for good", vec![trials(1, failed())], (Piece::Trials, Some(0), false)),
            (
                "tried again",
                vec![trials(2, RunPhase::Active), trials(1, failed())],
                (Piece::Trials, Some(0), false),
            ),
            (
                "the first is done",
                vec![trials(1, failed()), trials(2, RunPhase::Succeeded)],
                (Piece::Commit, None, true),
            ),
            (
                "the last is at work",
                vec![trials(1, RunPhase::Succeeded), commit(RunPhase::Active)],
                (Piece::Commit, Some(1), false),
            ),
            ("the first is gone", vec![commit(RunPhase::Succeeded)], (Piece::Commit, Some(0), false)),
        ];
        for (name, jobs, (piece, newest, after_trials)) in rows {
            let all: Vec<&ObservedRun> = jobs.iter().collect();
            let expected = Stage {
                piece,
                newest: newest.map(|at| &jobs[at]),
                done: after_trials.then_some(Piece::Trials),
            };
            assert_eq!(stage(&[Piece::Trials, Piece::Commit], &all), expected, "{name}");
        }
        assert_eq!(stage(&[Piece::Commit], &[]), Stage { piece: Piece::Commit, newest: None, done: None });
    }
}
