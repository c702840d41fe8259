//! Single entries of folders: renamed, removed and listed, so that storage that went away is not taken for a file that did.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

use crate::artifact::{ArtifactError, is_anywhere, sync_folder};

/// Renames a file; false when it is not there.
pub(super) fn moved(from: &Path, to: &Path) -> Result<bool, ArtifactError> {
    match fs::rename(from, to) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound && gone(from) => Ok(false),
        Err(error) => Err(ArtifactError::io("move a file to", to)(error)),
    }
}

/// Whether a file is not there while its folder is: else storage itself went away.
fn gone(path: &Path) -> bool {
    path.symlink_metadata().is_err() && path.parent().is_some_and(is_anywhere)
}

pub(super) fn remove(path: &Path) -> Result<(), ArtifactError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(ArtifactError::io("remove", path)(error)),
        _ => Ok(()),
    }
}

pub(super) fn sync_parent(path: &Path) -> Result<(), ArtifactError> {
    path.parent().map_or(Ok(()), sync_folder)
}

/// The names in a folder; an error when the folder is gone, as it is when storage went away.
pub(super) fn list(folder: &Path) -> Result<Vec<String>, ArtifactError> {
    let entries = fs::read_dir(folder).map_err(ArtifactError::io("list", folder))?;
    let names: io::Result<Vec<Option<String>>> =
        entries.map(|entry| entry.map(|entry| entry.file_name().into_string().ok())).collect();
    Ok(names.map_err(ArtifactError::io("list", folder))?.into_iter().flatten().collect())
}

/// When a file's content changed last.
pub(super) fn modified(path: &Path) -> Option<SystemTime> {
    path.symlink_metadata().and_then(|found| found.modified()).ok()
}

/// When a file was renamed last.
pub(super) fn changed(path: &Path) -> Option<(i64, i64)> {
    path.symlink_metadata().ok().map(|found| (found.ctime(), found.ctime_nsec()))
}
