//! The file `model.json`: data only, readable, and the same bytes for the same model.
//!
//! Owns the versions of the format and the limits. Reading checks everything before anything is built of it, so that a damaged
//! or hostile file gives an error and nothing else. A version is never changed: a new one gets a module of its own
//! (versions 2 and 3 have one form), and the files of all versions stay readable.

mod v1;
mod v2;
mod version;

use mlpipeline_crds::Digest;
use serde::Deserialize;

use super::limits::{MODEL_FILE, SIZE_LIMIT};
use super::stored::ReadFile;
use super::{Model, ModelError};

/// What every model file names as its format.
const FORMAT: &str = "mlpipeline.dev/model";

/// The most bytes of an algorithm's name.
const NAME_LIMIT: usize = 64;

/// The first thing read of a file: everything else depends on the version.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u64,
}

pub(super) fn render(model: &Model) -> Result<Vec<u8>, ModelError> {
    if let Some((name, value)) = model.info.metrics.iter().find(|(_, value)| !value.is_finite()) {
        return Err(ModelError::Invalid(format!("metric {name} is {value}")));
    }
    let mut bytes = serde_json::to_vec_pretty(&v2::Document::of(model))
        .map_err(|error| ModelError::Invalid(error.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

pub(super) fn parse(bytes: &[u8], other: ReadFile<'_>) -> Result<Model, ModelError> {
    let found = bytes.len() as u64;
    if found > SIZE_LIMIT {
        return Err(ModelError::TooLarge { found, limit: SIZE_LIMIT });
    }
    let invalid = |error: serde_json::Error| ModelError::Invalid(format!("{MODEL_FILE}: {error}"));
    let head: Head = serde_json::from_slice(bytes).map_err(invalid)?;
    if head.format != FORMAT {
        return Err(ModelError::Invalid(format!("{MODEL_FILE} is of another format than {FORMAT}")));
    }
    let model = match head.version {
        1 => serde_json::from_slice::<v1::Document>(bytes).map_err(invalid)?.into_model(Digest::of(bytes))?,
        2 | 3 => serde_json::from_slice::<v2::Document>(bytes)
            .map_err(invalid)?
            .into_model(Digest::of(bytes), other)?,
        found => return Err(ModelError::Version { found }),
    };
    if model.info.algorithm.len() > NAME_LIMIT {
        let problem = format!("the algorithm's name is longer than {NAME_LIMIT} bytes");
        return Err(ModelError::Invalid(problem));
    }
    model.check()?;
    Ok(model)
}
