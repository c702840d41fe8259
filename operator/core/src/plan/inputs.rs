//! What a step gets of the steps that it reads: a revision, the promise of one, or nothing.

use std::collections::BTreeMap;

use mlpipeline_crds::Revision;

use super::context::Context;
use super::model;
use super::supply::Supply;
use crate::decision::Decision;
use crate::pipeline::ValidStep;
use crate::reason::Reason;
use crate::step_kind::Read;

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

    /// Why the step cannot continue, where something it reads is missing.
    pub(super) fn missing(&self) -> Option<&Reason> {
        self.supplies.iter().find_map(|(_, supply)| match supply {
            Supply::Missing(reason) => Some(reason),
            Supply::Ready(_) | Supply::Coming { .. } => None,
        })
    }

    /// What the step waits for, where something it reads is not there yet.
    pub(super) fn coming(&self) -> Option<&Reason> {
        self.supplies.iter().find_map(|(_, supply)| match supply {
            Supply::Coming { reason, .. } => Some(reason),
            Supply::Ready(_) | Supply::Missing(_) => None,
        })
    }
}

fn supply(context: &Context<'_>, reader: &ValidStep, read: &Read) -> Supply {
    let step = read.step.clone();
    let (Some(source), Some(planned)) = (context.pipeline.step(&step), context.planned(&step)) else {
        return Supply::Missing(Reason::NoSuchStep { step });
    };
    // A container that reads a model gets no other than a serving step would.
    if read.is_model() || source.kind().makes_model() {
        return model::supply(context, reader, &read.name, source, planned);
    }
    if context.keeps_schedule(source) {
        return match (&planned.revision, planned.decision) {
            (Some(revision), _) => Supply::Ready(revision.clone()),
            (None, Decision::Failed | Decision::Blocked) => {
                Supply::Missing(Reason::InputHasReason { step, reason: Box::new(planned.reason.clone()) })
            }
            (None, _) => Supply::Coming { revision: None, reason: Reason::WaitsForFirstRun { step } },
        };
    }
    match planned.decision {
        Decision::Done => match &planned.revision {
            Some(revision) => Supply::Ready(revision.clone()),
            None => Supply::Missing(Reason::NoResult { step }),
        },
        Decision::Run | Decision::Running | Decision::Wait => {
            Supply::Coming { revision: planned.revision.clone(), reason: Reason::WaitsFor { step } }
        }
        decision @ (Decision::Blocked | Decision::Rejected | Decision::Failed) => {
            Supply::Missing(Reason::InputStopped { step, decision })
        }
    }
}
