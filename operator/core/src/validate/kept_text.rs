//! What the objects of a step keep of it in annotations, of which Kubernetes takes a limited number of bytes: a step that has more could never be
//! started. Must not judge what is in it.

use std::collections::BTreeMap;

use mlpipeline_crds::MLPipelineSpec;

use super::errors::Errors;
use crate::canonical::canonical_json;
use crate::fingerprint::Fingerprint;
use crate::pipeline::ValidatedPipeline;

/// How many bytes may be kept of a step. An object's annotations may have 256 KiB; the rest is for what else stands there: a report, the
/// revisions that were read, images.
const STEP_BYTES: usize = 240 << 10;

/// Checks all steps.
pub(super) fn check_all(spec: &MLPipelineSpec, pipeline: &ValidatedPipeline, errors: &mut Errors) {
    for (index, step) in spec.steps.iter().enumerate() {
        let Some(step) = pipeline.step(&step.name) else { continue };
        let bytes = canonical_json(&Fingerprint::of(pipeline, step, BTreeMap::new())).len();
        if bytes > STEP_BYTES {
            errors.add_with_hint(
                format!("spec.steps[{index}]"),
                format!(
                    "has {bytes} bytes as JSON, and its objects keep {STEP_BYTES} at most, to know what they do"
                ),
                "shorten its texts, or put what is long into a file or a ConfigMap that the step reads",
            );
        }
    }
}
