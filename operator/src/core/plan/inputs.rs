//! What a step gets of the steps that it reads: a revision, the promise of one, or nothing.

use std::collections::BTreeMap;

use mlpipeline_crds::Revision;

use super::decide::Context;
use super::{Decision, Schedules, model};
use crate::core::observed::{ObservedRun, RunPhase};
use crate::core::pipeline::{Read, ValidStep};

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

    /// The revision of every input by the reader's name, where all are known.
    pub(super) fn revisions(&self) -> Option<BTreeMap<String, Revision>> {
        let known = self.supplies.iter().map(|(read, supply)| match supply {
            Supply::Ready(revision) | Supply::Coming { revision: Some(revision), .. } => {
                Some((read.name.clone(), revision.clone()))
            }
            Supply::Coming { revision: None, .. } | Supply::Missing(_) => None,
        });
        known.collect()
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
    if read.is_model {
        return model::supply(context, reader, source, planned);
    }
    let name = &read.step;
    if source.schedule.is_some() && context.schedules == Schedules::Keep {
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
        Decision::Refused => Supply::Missing(format!("{name} was refused by its gate")),
        Decision::Failed => Supply::Missing(format!("{name} failed")),
    }
}

/// The name of a successful run's result.
pub(super) fn result_of(run: &ObservedRun) -> Option<Revision> {
    if run.phase != RunPhase::Succeeded {
        return None;
    }
    let reported = run.report.as_ref().and_then(|report| report.revision.clone());
    // A container of the user's reports no revision: its result lies under the key.
    reported.or_else(|| (!run.scheduled).then(|| run.key.clone()))
}

/// Orders runs from old to new: by when they ended, or started; the name decides between equals.
pub(super) fn age(run: &ObservedRun) -> (Option<jiff::Timestamp>, &str) {
    (run.finished.or(run.started), run.name.as_str())
}
