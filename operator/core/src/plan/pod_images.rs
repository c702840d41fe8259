//! Which worker image pods that stay keep, and which they take, beside the operator's default: what an upgrade does to what serves, as people
//! read it before they upgrade. Must not decide: `long_running.rs` does.

use std::fmt::{self, Display, Formatter};

use super::Plan;
use super::step_plan::StepPlan;
use super::work::Work;
use crate::observed::Observed;
use crate::pipeline::ValidatedPipeline;

/// The worker image of a step's pods, where the operator's default decides it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodImage {
    /// The step.
    pub step: String,
    /// The image that its pods have, where they are there.
    pub found: Option<String>,
    /// The image that they will have; `None` where the operator's default is not known.
    pub next: Option<String>,
    /// Whether they keep theirs, whatever the default is.
    pub keeps: bool,
}

/// The images of the pods of all steps that stay. None of a pipeline that names its image: it is the spec's alone.
#[must_use]
pub fn pod_images(pipeline: &ValidatedPipeline, plan: &Plan, observed: &Observed) -> Vec<PodImage> {
    let of_step = |step: &StepPlan| {
        let is_worker = pipeline.step(&step.name).is_some_and(|valid| valid.is_worker());
        let Some(Work::LongRunning(tracks)) = step.work.as_ref().filter(|_| is_worker) else { return None };
        let found = observed.steps.get(&step.name).and_then(|found| found.long_running.as_ref());
        let kept = tracks.stable.image.clone();
        Some(PodImage {
            step: step.name.clone(),
            found: found.and_then(|found| found.image.clone()),
            keeps: kept.is_some(),
            next: kept.or_else(|| observed.default_image.clone()),
        })
    };
    let steps = plan.steps.iter().filter(|_| pipeline.image.is_none());
    steps.filter_map(of_step).collect()
}

impl Display for PodImage {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let next = self.next.as_deref().unwrap_or("that is the operator's default");
        match &self.found {
            _ if self.keeps => write!(
                to,
                "the pods of step {} keep the worker image {next} until the step or its model changes, or its rerun",
                self.step
            ),
            Some(found) if self.next.as_ref() == Some(found) => {
                write!(to, "the pods of step {} have the worker image {next} already", self.step)
            }
            Some(found) => write!(
                to,
                "the pods of step {} take the worker image {next} in place of {found}: they are replaced for another reason, or cannot start with theirs",
                self.step
            ),
            None => write!(to, "the pods of step {} take the worker image {next}", self.step),
        }
    }
}
