//! What a plan asks for beside its decisions.

use mlpipeline_core::piece::Piece;
use mlpipeline_core::plan::{Decision, Plan, StepPlan, Task, Work};
use mlpipeline_core::tracks::Tracks;
use mlpipeline_crds::Revision;

/// What a plan asks for beside its decisions: what is to be removed, and what is set up although its step waits.
pub fn notes(plan: &Plan, key_of: impl Fn(&str) -> Option<Revision>) -> Vec<String> {
    let mut notes = Vec::new();
    for step in &plan.steps {
        let run = match &step.work {
            Some(Work::Once(run) | Work::Scheduled { run, .. }) => Some(run),
            _ => None,
        };
        if let Some(Task::Worker(spec)) = run.map(|run| &run.task)
            && !spec.remove.is_empty()
        {
            let revisions: Vec<String> = spec.remove.iter().map(ToString::to_string).collect();
            notes.push(format!("- the run of {} removes {}", step.name, revisions.join(", ")));
        }
        notes.extend(attempt(step));
        if let Some((run, pods)) = run.and_then(|run| Some((run, run.shape.completions?)))
            && run.piece != Piece::Commit
        {
            notes.push(format!("- {pods} pods share the {} of {}", run.piece.name(), step.name));
        }
        if let Some(Work::LongRunning(Tracks { stable, candidate: None, shadow: None })) = &step.work
            && let Some(first) = stable.first_replicas
        {
            notes.push(format!("- {} begins with {first} pods", step.name));
        }
        if matches!(step.work, Some(Work::Scheduled { suspend: true, .. })) {
            notes.push(format!("- the schedule of {} is suspended", step.name));
        }
        let is_held = matches!(step.decision, Decision::Wait | Decision::Blocked);
        if let Some(Work::LongRunning(Tracks { stable: work, candidate: None, shadow: None })) =
            step.work.as_ref().filter(|_| is_held)
            && key_of(&step.name).as_ref() != Some(&work.key)
        {
            notes.push(format!("- the pods of {} are replaced", step.name));
        }
    }
    if !plan.prune.is_empty() {
        notes.push(format!("- deletes {}", plan.prune.join(", ")));
    }
    notes
}

fn attempt(step: &StepPlan) -> Option<String> {
    match &step.work {
        Some(Work::Once(run)) if run.attempt > 1 => {
            Some(format!("- the run of {} is attempt {}", step.name, run.attempt))
        }
        _ => None,
    }
}
