//! The labels that every pod of a step has before anything is known of its run: by them pods are chosen, and what asks to be near them or apart.

use std::collections::BTreeMap;

use crate::labels::{MANAGER, label};
use crate::names;
use crate::pipeline::{ValidStep, ValidatedPipeline};
use crate::tracks::Track;

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
    track_labels(step, Track::Stable)
}

/// Labels of the pods of one of a step's tracks.
pub(crate) fn track_labels(step: &ValidStep, track: Track) -> BTreeMap<String, String> {
    let component = ("app.kubernetes.io/component".to_owned(), step.kind().name().to_owned());
    selected_by(step, track).into_iter().chain([component]).collect()
}

/// The labels that select the pods of one of a step's tracks, and none of another: as few as identify them, since a selector can never
/// change.
pub(crate) fn selector_labels(
    pipeline: &ValidatedPipeline,
    step: &ValidStep,
    track: Track,
) -> BTreeMap<String, String> {
    let of_pipeline = (label::PIPELINE.to_owned(), names::label(&pipeline.name));
    selected_by(step, track).into_iter().chain([of_pipeline]).collect()
}

/// What sets a track's pods apart. The stable ones have the step alone, as before there were others. A selector finds whatever has its
/// labels and more, so the pods of others must lack that one.
fn selected_by(step: &ValidStep, track: Track) -> BTreeMap<String, String> {
    match track {
        Track::Stable => BTreeMap::from([(label::STEP.to_owned(), step.name.clone())]),
        Track::Candidate | Track::Shadow => BTreeMap::from([
            (label::TRACK_OF.to_owned(), step.name.clone()),
            (label::TRACK.to_owned(), track.name().to_owned()),
        ]),
    }
}
