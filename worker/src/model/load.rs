//! Loading a model from the folder that it was published in.

use std::path::Path;

use mlpipeline_crds::Digest;

use super::file::parse;
use super::limits::{BINARY_LIMIT, MODEL_FILE, SIZE_LIMIT};
use super::{Model, ModelError};
use crate::artifact::{self, ArtifactError, FileEntry, Kind, Manifest};
use crate::failure::real_name;

/// Reads the manifest, then the model that it names, and checks that it is the one that was published. Nothing larger than a
/// model may be is read into memory, whatever the files and the manifest say.
pub(super) fn load(folder: &Path, expected: Option<&Digest>) -> Result<Model, ModelError> {
    let manifest = artifact::read_expected(folder, expected)?;
    if manifest.kind != Kind::Model {
        return Err(ModelError::NoModel(real_name(folder)));
    }
    let bytes = read_published(folder, &manifest, MODEL_FILE, SIZE_LIMIT)?;
    let mut model = parse(&bytes, &|name| read_published(folder, &manifest, name, BINARY_LIMIT))?;
    model.info.revision = manifest.report.revision;
    Ok(model)
}

/// Reads a file beside the model; `None` where the manifest lists none of that name.
pub(super) fn document(
    folder: &Path,
    expected: Option<&Digest>,
    name: &str,
    limit: u64,
) -> Result<Option<Vec<u8>>, ModelError> {
    let manifest = artifact::read_expected(folder, expected)?;
    let published = manifest.files.contains_key(name);
    published.then(|| read_published(folder, &manifest, name, limit)).transpose()
}

/// Reads a file of the artifact, which must be the one that was published.
fn read_published(folder: &Path, manifest: &Manifest, name: &str, limit: u64) -> Result<Vec<u8>, ModelError> {
    let damaged = |problem: String| ArtifactError::Damaged { folder: real_name(folder), problem };
    let entry = manifest.files.get(name);
    let entry = entry.ok_or_else(|| damaged(format!("its manifest does not list {name}")))?;
    if entry.size > limit {
        return Err(ModelError::TooLarge { found: entry.size, limit });
    }
    let path = folder.join(name);
    let bytes = artifact::read_small(&path, limit).map_err(ArtifactError::io("read", &path))?;
    let found = FileEntry { size: bytes.len() as u64, sha256: Digest::of(&bytes) };
    artifact::same_content(folder, name, entry, &found)?;
    Ok(bytes)
}
