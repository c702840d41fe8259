//! Addresses of a pipeline's steps, compared with each other: what one step has, no other can have too.

use std::collections::BTreeMap;

use mlpipeline_crds::{MLPipelineSpec, Step};

use super::errors::Errors;
use crate::quoted::quoted;
use crate::step_kind::ValidAction;

/// Checks the addresses of all steps of the pipeline of this name.
pub(super) fn check_all(spec: &MLPipelineSpec, pipeline: &str, errors: &mut Errors) {
    check_service_names(spec, pipeline, errors);
    let mut node_ports: BTreeMap<i32, &str> = BTreeMap::new();
    let mut routes: BTreeMap<(&str, &str, &str), &str> = BTreeMap::new();
    let actions: Vec<Option<ValidAction>> = spec.steps.iter().map(ValidAction::of).collect();
    for (index, (step, action)) in spec.steps.iter().zip(&actions).enumerate() {
        // What is wrong with a step that is of no kind, or of several, is said of the step.
        let Some(descriptor) = action.as_ref().map(ValidAction::descriptor) else { continue };
        let path = format!("spec.steps[{index}].{}", descriptor.kind().name());
        for (field, port) in descriptor.node_ports() {
            if let Some(other) = node_ports.insert(port, &step.name) {
                errors.add_with_hint(
                    format!("{path}.{field}"),
                    format!("{port} is a port of the step {} too, and a node has it once", quoted(other)),
                    "take another, or leave it out for one that the cluster chooses",
                );
            }
        }
        let Some(ingress) = descriptor.serving().and_then(|serve| serve.ingress.as_ref()) else { continue };
        let class = ingress.class_name.as_deref().unwrap_or_default();
        let prefix = ingress.path.as_deref().unwrap_or_default().trim_end_matches('/');
        if let Some(other) = routes.insert((class, &ingress.host, prefix), &step.name) {
            errors.add_with_hint(
                format!("{path}.ingress"),
                format!(
                    "has the host {} and the path of the step {} too, and a request reaches one of them",
                    quoted(&ingress.host),
                    quoted(other)
                ),
                "give each a path of its own, such as /v1, or a host of its own",
            );
        }
    }
}

/// Services are named after the pipeline, and their names must begin with a letter; those of all other objects need not.
fn check_service_names(spec: &MLPipelineSpec, pipeline: &str, errors: &mut Errors) {
    let with_service = spec.steps.iter().find(|step| has_service(step));
    if let Some(step) = with_service.filter(|_| pipeline.starts_with(|first: char| first.is_ascii_digit())) {
        errors.add_with_hint(
            "metadata.name",
            format!(
                "{} begins with a digit, and the Service of the step {} is named after it",
                quoted(pipeline),
                quoted(&step.name)
            ),
            "begin the name with a letter: no Service can be named otherwise",
        );
    }
}

fn has_service(step: &Step) -> bool {
    ValidAction::of(step).is_some_and(|action| action.descriptor().exposure().is_some())
}
