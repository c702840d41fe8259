//! Which worker image pods that stay keep, and which they take, beside the operator's default: what an upgrade does to what serves, as people
//! read it before they upgrade. Must not decide: `long_running.rs` does.

use std::fmt::{self, Display, Formatter};

use super::Plan;
use super::step_plan::StepPlan;
use super::work::{LongRunningWork, Work};
use crate::observed::Observed;
use crate::pipeline::ValidatedPipeline;
use crate::tracks::Track;

/// The worker image of a step's pods, where the operator's default decides it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodImage {
    /// The step.
    pub step: String,
    /// Which of its pods.
    pub track: Track,
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
    let steps = plan.steps.iter().filter(|_| pipeline.image.is_none());
    steps.flat_map(|step| of_step(pipeline, step, observed)).collect()
}

fn of_step(pipeline: &ValidatedPipeline, step: &StepPlan, observed: &Observed) -> Vec<PodImage> {
    let is_worker = pipeline.step(&step.name).is_some_and(|valid| valid.is_worker());
    let Some(Work::LongRunning(tracks)) = step.work.as_ref().filter(|_| is_worker) else { return Vec::new() };
    let found = observed.steps.get(&step.name);
    let of_track = |(track, work): (Track, &LongRunningWork)| PodImage {
        step: step.name.clone(),
        track,
        found: found.and_then(|found| found.workload(track)?.image.clone()),
        keeps: work.image.is_some(),
        next: work.image.clone().or_else(|| observed.default_image.clone()),
    };
    tracks.iter().map(of_track).collect()
}

impl Display for PodImage {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let next = self.next.as_deref().unwrap_or("that is the operator's default");
        let pods = match self.track {
            Track::Stable => format!("the pods of step {}", self.step),
            Track::Candidate | Track::Shadow => {
                format!("the {} pods of step {}", self.track.name(), self.step)
            }
        };
        match &self.found {
            _ if self.keeps => {
                write!(
                    to,
                    "{pods} keep the worker image {next} until the step or its model changes, or its rerun"
                )
            }
            Some(found) if self.next.as_ref() == Some(found) => {
                write!(to, "{pods} have the worker image {next} already")
            }
            Some(found) => write!(
                to,
                "{pods} take the worker image {next} in place of {found}: they are replaced for another reason, or cannot start with theirs"
            ),
            None => write!(to, "{pods} take the worker image {next}"),
        }
    }
}
