//! The settings of a local run.

use std::collections::BTreeSet;

use mlpipeline_core::pipeline::ValidatedPipeline;
use mlpipeline_core::plan::Schedules;

/// The settings of a local run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Run what runs to completion and exit; serve nothing.
    pub once: bool,
    /// Whether scheduled steps run at their times or once, at once.
    pub schedules: Schedules,
    /// How many runs are active at the same time.
    pub jobs: usize,
    /// The local port of the first serving step.
    pub port: Option<u16>,
    /// The steps to run; all when `None`.
    pub steps: Option<BTreeSet<String>>,
}

impl Settings {
    /// Whether a step is to run.
    #[must_use]
    pub fn includes(&self, step: &str) -> bool {
        self.steps.as_ref().is_none_or(|steps| steps.contains(step))
    }
}

/// The named steps and all steps that they come after.
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
            open.extend(step.follows());
        }
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use mlpipeline_core::validate::validate;

    use super::*;

    #[test]
    fn a_chosen_step_brings_what_it_reads_what_it_waits_for_and_whose_files_it_takes() {
        let watch = |from: &str| serde_json::json!({"inputs": [{"name": "files", "step": from}], "continuous": {}, "sql": "SELECT * FROM files"});
        let resource = serde_json::json!({
            "apiVersion": "mlpipeline.dev/v1alpha1",
            "kind": "MLPipeline",
            "metadata": {"name": "p", "namespace": "n"},
            "spec": {"steps": [
                {"name": "other", "prepare": {"sql": "SELECT 1"}},
                {"name": "first", "prepare": {"inputs": [{"name": "files", "uri": "file:incoming/*.csv"}], "continuous": {}, "sql": "SELECT * FROM files"}},
                {"name": "second", "prepare": watch("first")},
                {"name": "third", "after": ["other"], "prepare": watch("second")},
            ]},
        });
        let pipeline =
            validate(&serde_json::from_value(resource).expect("a pipeline")).expect("a valid pipeline");
        let rows: [(&str, &[&str]); 3] = [
            ("second", &["first", "second"]),
            ("third", &["first", "other", "second", "third"]),
            ("other", &["other"]),
        ];
        for (step, expected) in rows {
            let steps = with_what_they_need(&pipeline, &[step.to_owned()]).expect("a step");
            assert_eq!(steps.into_iter().collect::<Vec<_>>(), expected, "{step}");
        }
    }
}
