//! Names, labels, annotations and owners of children.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta, OwnerReference};
use mlpipeline_crds::{API_VERSION, Digest, KIND, Revision};

use crate::canonical::canonical_json;
use crate::labels::{annotation, label};
use crate::piece::Piece;
use crate::pipeline::{ValidStep, ValidatedPipeline};
use crate::plan::{Fingerprint, RunWork};
use crate::pod_labels::{common_labels, selector_labels, step_labels};
use crate::tracks::Track;

/// Metadata of an object of the whole pipeline.
pub(super) fn of_pipeline(pipeline: &ValidatedPipeline, name: String) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: Some(pipeline.namespace.clone()),
        labels: Some(common_labels(pipeline)),
        owner_references: owner(pipeline).map(|owner| vec![owner]),
        ..ObjectMeta::default()
    }
}

/// Metadata of an object of one step.
pub(super) fn of_step(pipeline: &ValidatedPipeline, step: &ValidStep, name: String) -> ObjectMeta {
    let mut metadata = of_pipeline(pipeline, name);
    metadata.labels.get_or_insert_default().extend(step_labels(step));
    metadata
}

/// Labels that say which run a Job is.
pub(super) fn run_labels(run: &RunWork, scheduled: bool) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::from([
        (label::REVISION.to_owned(), run.key.to_string()),
        (label::ATTEMPT.to_owned(), run.attempt.to_string()),
    ]);
    match run.piece {
        Piece::Commit => None,
        Piece::Trials | Piece::Shards => labels.insert(label::PIECE.to_owned(), run.piece.name().to_owned()),
    };
    if scheduled {
        labels.insert(label::SCHEDULED.to_owned(), "true".to_owned());
    }
    labels
}

/// The annotation that keeps a run's fingerprint.
pub(super) fn fingerprint(fingerprint: &Fingerprint) -> BTreeMap<String, String> {
    BTreeMap::from([(annotation::FINGERPRINT.to_owned(), canonical_json(fingerprint))])
}

/// The annotations that keep what a run is executed with, the default image of workers among it.
pub(super) fn settings(
    pipeline: &ValidatedPipeline,
    step: &ValidStep,
    run: &RunWork,
    worker_image: &str,
) -> BTreeMap<String, String> {
    let takes_default = step.is_worker() && pipeline.image.is_none();
    let image = takes_default.then(|| (annotation::WORKER_IMAGE.to_owned(), worker_image.to_owned()));
    let settings = (annotation::SETTINGS.to_owned(), canonical_json(&run.settings));
    image.into_iter().chain([settings]).collect()
}

/// Selects the pods of one of a step's tracks.
pub(super) fn selector(pipeline: &ValidatedPipeline, step: &ValidStep, track: Track) -> LabelSelector {
    LabelSelector { match_labels: Some(selector_labels(pipeline, step, track)), ..LabelSelector::default() }
}

/// Annotations of pods whose change replaces them: what they are made of.
pub(super) fn pod_annotations(model: Option<&Revision>, digest: Option<&Digest>) -> BTreeMap<String, String> {
    let model = model.map(|model| (annotation::MODEL.to_owned(), model.to_string()));
    let digest = digest.map(|digest| (annotation::MODEL_DIGEST.to_owned(), digest.to_string()));
    model.into_iter().chain(digest).collect()
}

/// The reference that makes the garbage collector remove a child with its pipeline. There is none on a laptop.
fn owner(pipeline: &ValidatedPipeline) -> Option<OwnerReference> {
    (!pipeline.uid.is_empty()).then(|| OwnerReference {
        api_version: API_VERSION.to_owned(),
        kind: KIND.to_owned(),
        name: pipeline.name.clone(),
        uid: pipeline.uid.clone(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    })
}
