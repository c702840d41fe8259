//! What a step gets of the steps that it reads: a revision, the promise of one, or nothing.

use std::collections::BTreeMap;

use mlpipeline_crds::{Outcome, Revision, StepKind, StepReport};

use super::decide::Context;
use super::{Decision, model};
use crate::observed::{ObservedRun, RunPhase};
use crate::pipeline::{Read, ValidStep};

/// What there is to read of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Supply {
    /// This revision.
    Ready(Revision),
    /// Nothing yet; of this revision, where it is known beforehand.
    Coming {
        /// The revision that will be there.
        revision: Option<Revision>,
        /// What is waited for.
        reason: String,
    },
    /// Nothing, until somebody mends something.
    Missing(String),
}

/// All that a step reads.
pub(super) struct Inputs {
    supplies: Vec<(Read, Supply)>,
}

impl Inputs {
    /// Looks up what a step reads.
    pub(super) fn of(context: &Context<'_>, step: &ValidStep) -> Self {
        let supplies = step.reads().into_iter().map(|read| {
            let supply = supply(context, step, &read);
            (read, supply)
        });
        Self { supplies: supplies.collect() }
    }

    /// The revision of every input by the reader's name, where all are known; some may not be there yet.
    pub(super) fn known(&self) -> Option<BTreeMap<String, Revision>> {
        self.revisions(|_, supply| match supply {
            Supply::Ready(revision) | Supply::Coming { revision: Some(revision), .. } => {
                Some(revision.clone())
            }
            Supply::Coming { revision: None, .. } | Supply::Missing(_) => None,
        })
    }

    /// The revision of every input, where all are there. What is not there yet is taken from what was read before.
    pub(super) fn ready_or(&self, before: &BTreeMap<String, Revision>) -> Option<BTreeMap<String, Revision>> {
        self.revisions(|read, supply| match supply {
            Supply::Ready(revision) => Some(revision.clone()),
            Supply::Coming { .. } | Supply::Missing(_) => before.get(&read.name).cloned(),
        })
    }

    fn revisions(
        &self,
        of: impl Fn(&Read, &Supply) -> Option<Revision>,
    ) -> Option<BTreeMap<String, Revision>> {
        self.supplies.iter().map(|(read, supply)| Some((read.name.clone(), of(read, supply)?))).collect()
    }

    /// Why the step cannot go on, where something it reads is missing.
    pub(super) fn missing(&self) -> Option<&str> {
        self.supplies.iter().find_map(|(_, supply)| match supply {
            Supply::Missing(reason) => Some(reason.as_str()),
            _ => None,
        })
    }

    /// What the step waits for, where something it reads is not there yet.
    pub(super) fn coming(&self) -> Option<&str> {
        self.supplies.iter().find_map(|(_, supply)| match supply {
            Supply::Coming { reason, .. } => Some(reason.as_str()),
            _ => None,
        })
    }
}

fn supply(context: &Context<'_>, reader: &ValidStep, read: &Read) -> Supply {
    let (Some(source), Some(planned)) = (context.pipeline.step(&read.step), context.planned(&read.step))
    else {
        return Supply::Missing(format!("there is no step {}", read.step));
    };
    // A container that reads a model gets no other than a serving step would.
    if read.is_model || source.kind() == StepKind::Train {
        return model::supply(context, reader, &read.name, source, planned);
    }
    let name = &read.step;
    if context.keeps_schedule(source) {
        return match (&planned.revision, planned.decision) {
            (Some(revision), _) => Supply::Ready(revision.clone()),
            (None, Decision::Failed | Decision::Blocked) => {
                Supply::Missing(format!("{name}: {}", planned.reason))
            }
            (None, _) => {
                Supply::Coming { revision: None, reason: format!("waits for the first run of {name}") }
            }
        };
    }
    match planned.decision {
        Decision::Done => match &planned.revision {
            Some(revision) => Supply::Ready(revision.clone()),
            None => Supply::Missing(format!("{name} is done and has no result")),
        },
        Decision::Run | Decision::Running | Decision::Wait => {
            Supply::Coming { revision: planned.revision.clone(), reason: format!("waits for {name}") }
        }
        Decision::Blocked => Supply::Missing(format!("{name} is blocked")),
        Decision::Rejected => Supply::Missing(format!("{name} was refused by its gate")),
        Decision::Failed => Supply::Missing(format!("{name} failed")),
    }
}

/// What the step's pods, or the runs of its schedule, read at this moment, by the reader's name; as far as the spec still
/// takes it from the same steps.
pub(super) fn read_now(context: &Context<'_>, step: &ValidStep) -> BTreeMap<String, Revision> {
    let Some(found) = context.observed.steps.get(&step.name) else { return BTreeMap::new() };
    let live = found.long_running.as_ref().filter(|_| step.is_long_running());
    let scheduled = found.schedule.as_ref().filter(|_| context.keeps_schedule(step));
    let Some(fingerprint) = live.and_then(|live| live.fingerprint.as_ref()).or(scheduled) else {
        return BTreeMap::new();
    };
    let sources = fingerprint.sources();
    let same = step.reads().into_iter().filter(|read| sources.get(&read.name) == Some(&read.step));
    same.filter_map(|read| Some((read.name.clone(), fingerprint.inputs.get(&read.name)?.clone()))).collect()
}

/// The name of a successful run's result.
pub(super) fn result_of(step: &ValidStep, run: &ObservedRun) -> Option<Revision> {
    if run.phase != RunPhase::Succeeded {
        return None;
    }
    // A container of the user's names no revision: its result lies under the key.
    if step.kind() == StepKind::Run {
        return Some(run.key.clone());
    }
    let reported = report_of(run).and_then(|report| report.revision.clone());
    reported.or_else(|| (!run.scheduled).then(|| run.key.clone()))
}

/// What a run reported, where it reported success.
pub(super) fn report_of(run: &ObservedRun) -> Option<&StepReport> {
    run.report.as_ref().filter(|report| report.outcome == Outcome::Succeeded)
}

/// Orders runs from old to new: those at work last, else by when they ended, or started; the name decides between equals.
pub(super) fn age(run: &ObservedRun) -> (bool, Option<jiff::Timestamp>, &str) {
    (run.phase == RunPhase::Active, run.finished.or(run.started), run.name.as_str())
}
