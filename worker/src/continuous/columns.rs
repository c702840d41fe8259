//! What the columns of a published file are: kept beside it, for the step that takes it.
//!
//! One-off steps find them in the manifest of an artifact; the files of a continuous step have none.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::entries::sync_parent;
use crate::artifact::{ArtifactError, Column, create_unlinked, read_small};

/// What the names of files begin with that say what the columns of another one are.
pub(super) const COLUMNS_PREFIX: &str = ".columns-";

/// The most bytes that are read of one.
const LIMIT: u64 = 16 << 20;

/// Where the columns of a file are kept.
pub(super) fn columns_of(file: &Path) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!("{COLUMNS_PREFIX}{name}"))
}

/// Keeps what the columns of a file are; nothing of a file that says it itself.
///
/// # Errors
/// When storage fails.
pub(super) fn keep_columns(file: &Path, columns: &[Column]) -> Result<(), ArtifactError> {
    if columns.is_empty() {
        return Ok(());
    }
    write(&columns_of(file), &serde_json::to_vec(columns).unwrap_or_default())
}

/// Copies what is known of the columns of a file to the place where another one is about to be: from the first of these places where
/// anything is.
///
/// # Errors
/// When storage fails.
pub(super) fn copy_columns(places: &[PathBuf], file: &Path) -> Result<(), ArtifactError> {
    for place in places {
        if let Some(text) = read(place)? {
            return write(&columns_of(file), &text);
        }
    }
    Ok(())
}

/// What the columns of a file are, where it is known.
///
/// # Errors
/// When storage fails.
pub(super) fn read_columns(file: &Path) -> Result<Vec<Column>, ArtifactError> {
    let text = read(&columns_of(file))?.unwrap_or_default();
    Ok(serde_json::from_slice(&text).unwrap_or_default())
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, ArtifactError> {
    match read_small(path, LIMIT) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        text => text.map(Some).map_err(ArtifactError::io("read", path)),
    }
}

fn write(path: &Path, text: &[u8]) -> Result<(), ArtifactError> {
    let mut file = create_unlinked(path).map_err(ArtifactError::io("create", path))?;
    file.write_all(text).map_err(ArtifactError::io("write", path))?;
    file.sync_all().map_err(ArtifactError::io("sync", path))?;
    sync_parent(path)
}
