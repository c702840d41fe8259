//! Two pipelines of a namespace whose objects would have one name: each is valid by itself, and the one that comes later waits forever.

use std::collections::BTreeMap;

use mlpipeline_core::names;
use mlpipeline_core::pipeline::{ValidStep, ValidatedPipeline};

use super::{Found, Problem};

/// A problem for each step whose objects another pipeline's step has already.
pub(super) fn taken(pipelines: &[Found]) -> Vec<Problem> {
    let mut seen: BTreeMap<(&str, String, String), (&Found, &ValidStep)> = BTreeMap::new();
    let mut problems = Vec::new();
    for found in pipelines {
        for step in &found.pipeline.steps {
            let of_step = objects(&found.pipeline, step).into_iter().find_map(|(kind, name)| {
                let key = (found.pipeline.namespace.as_str(), kind, name);
                let Some((other, its_step)) = seen.get(&key) else {
                    seen.insert(key, (found, step));
                    return None;
                };
                let differ = other.pipeline.name != found.pipeline.name
                    && (step.is_long_running() || step.schedule.is_some() || step.action == its_step.action);
                // The same pipeline in two files: one is another version of the other.
                differ.then(|| problem(found, step, other, its_step, &key.2))
            });
            problems.extend(of_step);
        }
    }
    problems
}

/// The kinds and names of what a step has in a cluster. Behind the names of its Jobs there is a hash of what they do.
fn objects(pipeline: &ValidatedPipeline, step: &ValidStep) -> Vec<(String, String)> {
    if step.is_long_running() {
        let name = names::step_object(&pipeline.name, &step.name);
        let service = step.action.descriptor().exposure().map(|_| ("Service".to_owned(), name.clone()));
        return [(format!("{:?}", step.workload()), name)].into_iter().chain(service).collect();
    }
    let (kind, name) = match step.schedule {
        Some(_) => ("CronJob", names::cron_job(&pipeline.name, &step.name, step.is_indexed())),
        None => ("Job", format!("{}-{}", pipeline.name, step.name)),
    };
    vec![(kind.to_owned(), name)]
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
