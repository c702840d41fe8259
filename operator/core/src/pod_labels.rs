//! The labels that every pod of a step has before anything is known of its run: by them pods are chosen, and what asks to be near them or apart.

use std::collections::BTreeMap;

use crate::labels::{MANAGER, label};
use crate::names;
use crate::pipeline::{ValidStep, ValidatedPipeline};

/// The label by which GitOps tools, and people, know what belongs together.
pub(crate) const INSTANCE: &str = "app.kubernetes.io/instance";

/// Labels of every child and every pod.
pub(crate) fn common_labels(pipeline: &ValidatedPipeline) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("app.kubernetes.io/name".to_owned(), "mlpipeline".to_owned()),
        (INSTANCE.to_owned(), names::label(&pipeline.name)),
        ("app.kubernetes.io/part-of".to_owned(), names::label(&pipeline.name)),
        (label::MANAGED_BY.to_owned(), MANAGER.to_owned()),
        (label::PIPELINE.to_owned(), names::label(&pipeline.name)),
    ])
}

/// Labels of what belongs to one step.
pub(crate) fn step_labels(step: &ValidStep) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("app.kubernetes.io/component".to_owned(), step.kind().name().to_owned()),
        (label::STEP.to_owned(), step.name.clone()),
    ])
}
