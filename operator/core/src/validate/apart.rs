//! Pods that a volume of one node brings together, and that ask to be on different nodes: all but one would wait forever.

use mlpipeline_crds::MLPipelineSpec;

use super::errors::Errors;
use crate::pipeline::{ValidStep, ValidatedPipeline};
use crate::quoted::quoted;
use crate::shared_node::{HOSTNAME, names_pods_of, pods_at_once, terms_of_apart};

const HINT: &str =
    "leave the term out or prefer it only, or take a volume with the access mode ReadWriteMany";

/// Checks what the steps' pods must be apart from.
pub(super) fn check_all(spec: &MLPipelineSpec, pipeline: &ValidatedPipeline, errors: &mut Errors) {
    if !pipeline.keeps_pods_together() {
        return;
    }
    for (index, step) in spec.steps.iter().enumerate() {
        let Some(found) = pipeline.step(&step.name) else { continue };
        let is_own = step.pod.as_ref().is_some_and(|pod| pod.affinity.is_some());
        let pod = if is_own { format!("spec.steps[{index}].pod") } else { "spec.pod".to_owned() };
        for (place, term) in terms_of_apart(found).filter(|(_, term)| term.topology_key == HOSTNAME) {
            let mut others = pipeline.steps.iter().filter(|other| stay_both(found, other));
            let other = others.find(|other| names_pods_of(term, pipeline, other, found));
            let Some(other) = other else { continue };
            let path = format!(
                "{pod}.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[{place}]"
            );
            errors.add_with_hint(path, problem(found, other), HINT);
        }
    }
}

/// Whether two pods of these steps are there at the same time, for as long as the pipeline is.
fn stay_both(step: &ValidStep, other: &ValidStep) -> bool {
    let fewest = if step.name == other.name { 2 } else { 1 };
    let stays = |step: &ValidStep| step.is_long_running() && pods_at_once(step) >= fewest;
    stays(step) && stays(other)
}

fn problem(step: &ValidStep, other: &ValidStep) -> String {
    let whom = if step.name == other.name {
        "each other".to_owned()
    } else {
        format!("those of the step {}", quoted(&other.name))
    };
    format!(
        "keeps the pods of the step {} on other nodes than {whom}, and all of them must be on the one node that mounts the pipeline's volume: \
         some would wait forever",
        quoted(&step.name)
    )
}
