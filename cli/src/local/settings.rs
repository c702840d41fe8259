//! What a local run is asked for, beside the pipeline itself.

use std::collections::BTreeSet;

use mlpipeline_core::pipeline::ValidatedPipeline;
use mlpipeline_core::plan::Schedules;

/// What a local run is asked for.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Do what runs to completion and end; serve nothing.
    pub once: bool,
    /// Whether scheduled steps run at their times or once, at once.
    pub schedules: Schedules,
    /// How many runs are at work at the same time.
    pub jobs: usize,
    /// The local port of the first serving step.
    pub port: Option<u16>,
    /// The steps to care for; all when `None`.
    pub steps: Option<BTreeSet<String>>,
}

impl Settings {
    /// Whether a step is cared for.
    #[must_use]
    pub fn includes(&self, step: &str) -> bool {
        self.steps.as_ref().is_none_or(|steps| steps.contains(step))
    }
}

/// The named steps with everything that they read or follow.
///
/// # Errors
/// The name that no step has.
pub fn with_what_they_need(
    pipeline: &ValidatedPipeline,
    names: &[String],
) -> Result<BTreeSet<String>, String> {
    let mut wanted = BTreeSet::new();
    let mut open: Vec<String> = names.to_vec();
    while let Some(name) = open.pop() {
        let step = pipeline.step(&name).ok_or_else(|| name.clone())?;
        if wanted.insert(name) {
            open.extend(step.reads().into_iter().map(|read| read.step).chain(step.after.iter().cloned()));
        }
    }
    Ok(wanted)
}
