//! Two pipelines of a namespace whose objects would have one name: each is valid by itself, and the one that comes later waits for ever.

use std::collections::BTreeMap;

use mlpipeline_core::names;
use mlpipeline_core::pipeline::{ValidStep, ValidatedPipeline};

use super::{Found, Problem};

/// A problem for each step whose objects another pipeline's step has already.
pub(super) fn taken(pipelines: &[Found]) -> Vec<Problem> {
    let mut seen: BTreeMap<(&str, &'static str, String), (&Found, &ValidStep)> = BTreeMap::new();
    let mut problems = Vec::new();
    for found in pipelines {
        for step in &found.pipeline.steps {
            let Some((kind, name)) = object(&found.pipeline, step) else { continue };
            let key = (found.pipeline.namespace.as_str(), kind, name);
            let Some((other, its_step)) = seen.get(&key) else {
                seen.insert(key, (found, step));
                continue;
            };
            // The same pipeline in two files: one is another version of the other.
            if other.pipeline.name != found.pipeline.name {
                problems.push(problem(found, step, other, its_step, &key.2));
            }
        }
    }
    problems
}

/// The kind and name of what a step keeps in a cluster beside its runs, whose names hold a hash of what they do.
fn object(pipeline: &ValidatedPipeline, step: &ValidStep) -> Option<(&'static str, String)> {
    if step.is_long_running() {
        Some(("workload", names::step_object(&pipeline.name, &step.name)))
    } else if step.schedule.is_some() {
        Some(("CronJob", names::cron_job(&pipeline.name, &step.name, step.is_indexed())))
    } else {
        None
    }
}

fn problem(found: &Found, step: &ValidStep, other: &Found, its_step: &ValidStep, name: &str) -> Problem {
    let full = |found: &Found| format!("{}/{}", found.pipeline.namespace, found.pipeline.name);
    let text = format!(
        "step {} would have objects named \"{name}\", and so would step {} of {} in {}: the pipeline that is applied later never gets its own",
        step.name,
        its_step.name,
        full(other),
        other.file.display()
    );
    let problem = Problem {
        path: "metadata.name".to_owned(),
        pipeline: Some(full(found)),
        ..Problem::of_file(&found.file, text)
    };
    problem.with_hint("objects are named PIPELINE-STEP: give one of the pipelines or steps another name")
}
