//! What is beyond the history: runs to delete, and revisions for a step's own run to remove.

use std::collections::BTreeSet;

use mlpipeline_crds::Revision;

use super::decide::Context;
use super::inputs::{age, result_of};
use super::{Decision, StepPlan, model};
use crate::core::observed::{Observed, ObservedRun, RunPhase};
use crate::core::pipeline::{ValidStep, ValidatedPipeline};

/// Names of runs that should go: those of steps that are gone, those at work on what nobody wants any more, and those beyond
/// the history. Runs of a schedule are left to their CronJob, which keeps its own history.
pub(super) fn prune(pipeline: &ValidatedPipeline, observed: &Observed, planned: &[StepPlan]) -> Vec<String> {
    let mut names = Vec::new();
    for (name, found) in &observed.steps {
        let (Some(step), Some(plan)) = (pipeline.step(name), planned.iter().find(|plan| plan.name == *name))
        else {
            names.extend(found.runs.iter().map(|run| run.name.clone()));
            continue;
        };
        names.extend(prune_step(pipeline, observed, step, plan, &found.runs));
    }
    names
}

fn prune_step(
    pipeline: &ValidatedPipeline,
    observed: &Observed,
    step: &ValidStep,
    plan: &StepPlan,
    runs: &[ObservedRun],
) -> Vec<String> {
    let mut own: Vec<&ObservedRun> = runs.iter().filter(|run| !run.scheduled).collect();
    own.sort_by(|left, right| age(right).cmp(&age(left)));
    let current = |run: &ObservedRun| plan.run.as_ref() == Some(&run.name);
    let superseded = |run: &ObservedRun| {
        run.phase == RunPhase::Active
            && !current(run)
            && plan.revision.is_some()
            && plan.decision != Decision::Blocked
    };
    let newest_success = own.iter().find(|run| run.phase == RunPhase::Succeeded).map(|run| &run.name);
    let newest_passed = own.iter().find(|run| model::passed(step, run)).map(|run| &run.name);
    let served: BTreeSet<Revision> = model::served(pipeline, observed, &step.name).into_iter().collect();
    let mut kept_keys: BTreeSet<&Revision> = BTreeSet::new();
    let mut names = Vec::new();
    for run in own {
        if superseded(run) {
            names.push(run.name.clone());
            continue;
        }
        let within_history = kept_keys.contains(&run.key) || kept_keys.len() < pipeline.history;
        let needed = run.phase == RunPhase::Active
            || current(run)
            || newest_success == Some(&run.name)
            || newest_passed == Some(&run.name)
            || result_of(run).is_some_and(|revision| served.contains(&revision));
        if within_history {
            kept_keys.insert(&run.key);
        } else if !needed {
            names.push(run.name.clone());
        }
    }
    names
}

/// Revisions of a step that its run for `key` should remove once it is done: beyond the history, and neither served, nor
/// read by a run that is at work, nor the newest that is there, nor the newest model that passed its gate.
pub(super) fn revisions_to_remove(context: &Context<'_>, step: &ValidStep, key: &Revision) -> Vec<Revision> {
    let mut newest: Vec<&ObservedRun> = context.runs(step).iter().collect();
    newest.sort_by(|left, right| age(right).cmp(&age(left)));
    let mut revisions: Vec<Revision> = Vec::new();
    for revision in newest.iter().filter_map(|run| result_of(run)) {
        if revision != *key && !revisions.contains(&revision) {
            revisions.push(revision);
        }
    }
    let mut in_use = in_use(context.observed);
    let newest_passed = newest.iter().find(|run| model::passed(step, run)).and_then(|run| result_of(run));
    in_use.extend(&newest_passed);
    let keep = context.pipeline.history.saturating_sub(1).max(1);
    revisions.into_iter().skip(keep).filter(|revision| !in_use.contains(revision)).collect()
}

/// Every revision that somebody serves, or reads at this moment.
fn in_use(observed: &Observed) -> BTreeSet<&Revision> {
    let steps = observed.steps.values();
    let served = steps.clone().filter_map(|step| step.live.as_ref()?.model.as_ref());
    let read = steps
        .flat_map(|step| &step.runs)
        .filter(|run| run.phase == RunPhase::Active)
        .filter_map(|run| run.meaning.as_ref())
        .flat_map(|meaning| meaning.inputs.values());
    served.chain(read).collect()
}
