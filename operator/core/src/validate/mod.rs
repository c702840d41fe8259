//! From a spec to a [`ValidatedPipeline`], or to every error in it at once.
//!
//! The API server's schema and rules catch most mistakes before this; what they cannot see (references, cycles, cron, file
//! formats) is found here, and so is all the rest where there is no API server: on a laptop, or with an older CRD installed.

pub mod access_modes;
mod actions;
mod addresses;
mod affinity;
mod apart;
mod continuous;
mod data;
mod dns;
mod environment;
mod errors;
mod features;
mod gate;
mod host_ports;
mod huge_pages;
mod image;
mod kept_text;
mod labels;
mod long_running;
mod metadata;
mod mounts;
mod no_node;
mod node_affinity;
mod order;
mod output;
mod outside_place;
mod pattern;
mod placement;
mod pod;
mod pod_annotations;
mod reading;
mod references;
mod resources;
mod steps;
mod train_columns;
mod variable_source;

use std::collections::BTreeMap;

use mlpipeline_crds::{MLPipeline, step_kinds};

use super::pipeline::ValidatedPipeline;
use super::storage::Storage;

use errors::Errors;

pub use errors::FieldError;
pub use references::closest;

macro_rules! declare_kinds {
    ($($(#[$doc:meta])* $kind:ident $field:ident;)+) => {
        $(mod $field;)+
    };
}

// Each kind has a file here.
step_kinds!(declare_kinds);

/// The most bytes that a spec may have as JSON. The operator holds every spec in memory, and anybody who may create pipelines fills it.
pub const SPEC_BYTES: usize = 512 << 10;

/// What is wrong with a spec of so many bytes.
#[must_use]
pub fn spec_too_large(bytes: usize) -> String {
    format!("has {bytes} bytes as JSON, and may have {SPEC_BYTES}; use several pipelines, or shorter queries")
}

/// Checks a pipeline.
///
/// # Errors
/// Everything that is wrong with it, in the order of the spec.
pub fn validate(resource: &MLPipeline) -> Result<ValidatedPipeline, Vec<FieldError>> {
    let mut errors = Errors::default();
    metadata::check(&resource.metadata, &mut errors);
    let name = resource.metadata.name.clone().unwrap_or_default();
    let spec = &resource.spec;
    let bytes = serde_json::to_vec(spec).map_or(0, |text| text.len());
    errors.require(bytes <= SPEC_BYTES, "spec", spec_too_large(bytes));
    let history = spec.history.unwrap_or(3);
    errors.require_between(Some(history), (1, 100), "spec.history");
    errors.require(
        spec.image.as_ref().is_none_or(|image| !image.trim().is_empty()),
        "spec.image",
        "is empty: name an image, or leave it out for the operator's own",
    );
    image::check(spec.image.as_deref(), "spec.image", &mut errors);
    let volume = spec.storage.clone().and_then(|storage| storage.volume).unwrap_or_default();
    pod::check_volume(&volume, &mut errors);
    pod::check_settings(spec.pod.as_ref(), None, "spec.pod", &mut errors);
    let namespace = resource.metadata.namespace.clone().unwrap_or_else(|| "default".to_owned());
    let steps = steps::validate_steps(spec, &namespace, &mut errors);
    if let Some(problem) = access_modes::problem(volume.access_modes.as_deref().unwrap_or_default(), &steps) {
        errors.add("spec.storage.volume.accessModes", problem);
    }
    addresses::check_all(spec, &name, &mut errors);
    let pipeline = ValidatedPipeline {
        namespace,
        name,
        uid: resource.metadata.uid.clone().unwrap_or_default(),
        generation: resource.metadata.generation,
        suspend: spec.suspend.unwrap_or_default(),
        history: usize::try_from(history).unwrap_or(1),
        image: spec.image.clone(),
        storage: Storage::Volume(volume),
        claims: BTreeMap::new(),
        steps,
    };
    host_ports::check_all(spec, &pipeline, &mut errors);
    apart::check_all(spec, &pipeline, &mut errors);
    no_node::check_all(spec, &pipeline, &mut errors);
    kept_text::check_all(spec, &pipeline, &mut errors);
    errors.into_result()?;
    Ok(pipeline)
}
