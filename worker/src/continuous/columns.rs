//! What the columns of a published file are: kept beside it, for the step that takes it.
//!
//! One-off steps find them in the manifest of an artifact; the files of a continuous step have none.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::entries::sync_parent;
use super::folders::Folders;
use super::names::Ready;
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

impl Folders {
    /// Keeps what the columns of a result are, before it is whole.
    ///
    /// # Errors
    /// When storage fails.
    pub(super) fn keep_columns(&self, ready: &Ready, columns: &[Column]) -> Result<(), ArtifactError> {
        let text = serde_json::to_vec(columns).unwrap_or_default();
        write(&columns_of(&self.ready(ready)), &text)
    }

    /// Copies what is known of the columns of a file that is about to be claimed under a name: by the step that published it, or by us, where
    /// the file failed and was put back. The files that are of no use once it is claimed.
    ///
    /// # Errors
    /// When storage fails.
    pub(super) fn take_columns(&self, found: &Path, name: &str) -> Result<Vec<PathBuf>, ArtifactError> {
        let places = vec![columns_of(found), columns_of(&self.step.join("failed").join(name))];
        if let Some(text) = places.iter().find_map(|place| read_small(place, LIMIT).ok()) {
            write(&columns_of(&self.claimed(name)), &text)?;
        }
        Ok(places)
    }

    /// What the columns of a claimed file are, where it is known.
    pub(super) fn claimed_columns(&self, name: &str) -> Vec<Column> {
        let text = read_small(&columns_of(&self.claimed(name)), LIMIT).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }
}

fn write(path: &Path, text: &[u8]) -> Result<(), ArtifactError> {
    let mut file = create_unlinked(path).map_err(ArtifactError::io("create", path))?;
    file.write_all(text).map_err(ArtifactError::io("write", path))?;
    file.sync_all().map_err(ArtifactError::io("sync", path))?;
    sync_parent(path)
}
