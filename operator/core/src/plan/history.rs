//! History pruning: what is beyond the history, runs to delete, and revisions for a step's own run to remove.

use std::collections::{BTreeMap, BTreeSet};

use mlpipeline_crds::Revision;

use super::changed_settings::gives_way;
use super::context::Context;
use super::model;
use super::runs::{age, result_of};
use super::step_plan::StepPlan;
use crate::decision::Decision;
use crate::observed::{Observed, ObservedRun, ObservedStep, RunPhase};
use crate::pipeline::ValidStep;

/// Names of runs that should go: those of steps that are gone, those at work on what nobody wants any more, and those beyond
/// the history. Runs of a schedule are left to their CronJob, which keeps its own history, but for one that gives way.
pub(super) fn prune(context: &Context<'_>) -> Vec<String> {
    let Context { pipeline, observed, planned, .. } = context;
    let in_use = in_use(observed);
    let mut sorted = Sorted::default();
    for (name, found) in &observed.steps {
        match (pipeline.step(name), planned.iter().find(|plan| plan.name == *name)) {
            (Some(step), Some(plan)) => {
                sort_runs(context, step, plan, &found.runs, &in_use, &mut sorted);
            }
            _ => sorted.go.extend(found.runs.iter().map(|run| run.name.as_str())),
        }
    }
    // Names are unique in a namespace; if something says otherwise, keeping one too many is the harmless mistake.
    sorted.go.difference(&sorted.stay).map(|name| (*name).to_owned()).collect()
}

/// Names of runs to delete and to keep.
#[derive(Default)]
struct Sorted<'a> {
    go: BTreeSet<&'a str>,
    stay: BTreeSet<&'a str>,
}

fn sort_runs<'a>(
    context: &Context<'_>,
    step: &ValidStep,
    plan: &StepPlan,
    runs: &'a [ObservedRun],
    in_use: &BTreeSet<&Revision>,
    sorted: &mut Sorted<'a>,
) {
    let (by_schedule, mut own): (Vec<&ObservedRun>, Vec<&ObservedRun>) =
        runs.iter().partition(|run| run.scheduled);
    let current = |run: &ObservedRun| plan.run.as_ref() == Some(&run.name);
    for run in by_schedule {
        // Where schedules are not kept, a step rests on a run of one that cannot begin while nothing can take its place.
        let is_stuck = !current(run) && gives_way(context, step, run).is_some();
        let names = if is_stuck { &mut sorted.go } else { &mut sorted.stay };
        names.insert(&run.name);
    }
    own.sort_by(|left, right| age(right).cmp(&age(left)));
    // A step that is blocked has no run of its own to take the place of one at work.
    let is_decided = plan.decision != Decision::Blocked
        && (plan.run.is_some() || plan.revision.is_some() || plan.work.is_some());
    let newest_success = own.iter().find(|run| result_of(step, run).is_some()).map(|run| &run.name);
    let newest_passed = own.iter().find(|run| model::passed(step, run)).map(|run| &run.name);
    let mut kept_keys: BTreeSet<&Revision> = BTreeSet::new();
    let mut older_failures: BTreeMap<&Revision, usize> = BTreeMap::new();
    for run in own {
        let is_active = run.phase == RunPhase::Active;
        if is_active && is_decided && !current(run) {
            sorted.go.insert(&run.name);
            continue;
        }
        let within_history = match (kept_keys.contains(&run.key), &run.phase) {
            // Attempts at one thing that failed are many where its settings are edited again and again.
            (true, RunPhase::Failed { .. }) => {
                let failures = older_failures.entry(&run.key).or_default();
                *failures += 1;
                *failures < context.pipeline.history
            }
            (true, RunPhase::Active | RunPhase::Succeeded) => true,
            (false, _) => kept_keys.len() < context.pipeline.history,
        };
        let needed = is_active
            || current(run)
            || newest_success == Some(&run.name)
            || newest_passed == Some(&run.name)
            || result_of(step, run).is_some_and(|revision| in_use.contains(&revision));
        if within_history {
            kept_keys.insert(&run.key);
        }
        let names = if within_history || needed { &mut sorted.stay } else { &mut sorted.go };
        names.insert(&run.name);
    }
}

/// Revisions of a step that its run for `key` should remove once it is done: beyond the history, and neither served, nor
/// read by a run that is at work, nor the newest that is there, nor the newest model that passed its gate.
pub(super) fn revisions_to_remove(context: &Context<'_>, step: &ValidStep, key: &Revision) -> Vec<Revision> {
    let mut newest: Vec<&ObservedRun> = context.runs(step).iter().collect();
    newest.sort_by(|left, right| age(right).cmp(&age(left)));
    let mut revisions: Vec<Revision> = Vec::new();
    for revision in newest.iter().filter_map(|run| result_of(step, run)) {
        if revision != *key && !revisions.contains(&revision) {
            revisions.push(revision);
        }
    }
    let mut in_use = in_use(context.observed);
    let newest_passed =
        newest.iter().find(|run| model::passed(step, run)).and_then(|run| result_of(step, run));
    in_use.extend(&newest_passed);
    let keep = context.pipeline.history.saturating_sub(1).max(1);
    revisions.into_iter().skip(keep).filter(|revision| !in_use.contains(revision)).collect()
}

/// Every revision that somebody serves or reads at this moment, or will read when a schedule fires.
fn in_use(observed: &Observed) -> BTreeSet<&Revision> {
    let steps = observed.steps.values();
    let workloads = || observed.steps.values().flat_map(ObservedStep::workloads);
    let served = workloads().filter_map(|found| found.model.as_ref());
    let at_work = steps
        .clone()
        .flat_map(|step| &step.runs)
        .filter(|run| run.phase == RunPhase::Active)
        .filter_map(|run| run.fingerprint.as_ref());
    let readers = workloads()
        .filter_map(|found| found.fingerprint.as_ref())
        .chain(steps.filter_map(|step| step.schedule.as_ref()))
        .chain(at_work);
    served.chain(readers.flat_map(|fingerprint| fingerprint.inputs.values())).collect()
}
