//! Loading a model from the folder that it was published in.

use std::path::Path;

use mlpipeline_crds::Digest;

use super::file::parse;
use super::limits::{MODEL_FILE, SIZE_LIMIT};
use super::{Model, ModelError};
use crate::artifact::{self, ArtifactError, Kind};

/// Reads the manifest, then the model that it names, and checks that it is the one that was published. Nothing larger than a
/// model may be is read into memory, whatever the files and the manifest say.
pub(super) fn load(folder: &Path) -> Result<Model, ModelError> {
    let damaged = |problem: String| ArtifactError::Damaged { folder: folder.to_owned(), problem };
    let manifest = artifact::read(folder)?;
    if manifest.kind != Kind::Model {
        return Err(ModelError::NoModel(folder.to_owned()));
    }
    let entry = manifest.files.get(MODEL_FILE);
    let entry = entry.ok_or_else(|| damaged(format!("its manifest does not list {MODEL_FILE}")))?;
    if entry.size > SIZE_LIMIT {
        return Err(ModelError::TooLarge { found: entry.size });
    }
    let path = folder.join(MODEL_FILE);
    let bytes = artifact::read_small(&path, SIZE_LIMIT).map_err(ArtifactError::io("read", &path))?;
    let found = Digest::of(&bytes);
    if found != entry.sha256 {
        return Err(damaged(format!(
            "{MODEL_FILE} has sha256 {found} instead of {}: its bytes are not those that were published",
            entry.sha256
        ))
        .into());
    }
    let mut model = parse(&bytes)?;
    model.info.revision = manifest.report.revision;
    Ok(model)
}
