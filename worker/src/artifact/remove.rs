//! Removal: revisions that nobody needs any more, and what killed processes left behind.

use std::fs;
use std::io;
use std::path::Path;

use mlpipeline_crds::Revision;

use super::error::ArtifactError;
use super::lock::Lock;
use super::names::{DAMAGED_PREFIX, DRAFT_PREFIX, LOCK_SUFFIX, REPLACED_PREFIX};
use super::replace::recover;

/// What the names of artifacts that are being removed begin with.
const REMOVED_PREFIX: &str = ".removed-";

/// Removes these revisions of a step, but never `keep`. Each first loses its name in one step, so that nobody ever sees half
/// an artifact. Revisions that are not there count as removed.
///
/// # Errors
/// When storage refuses.
pub fn remove_revisions(
    step_folder: &Path,
    revisions: &[Revision],
    keep: Option<&Revision>,
) -> Result<(), ArtifactError> {
    for revision in revisions.iter().filter(|revision| keep != Some(*revision)) {
        let folder = step_folder.join(revision.as_str());
        let hidden = step_folder.join(format!("{REMOVED_PREFIX}{revision}-{:08x}", rand::random::<u32>()));
        match fs::rename(&folder, &hidden) {
            Ok(()) => remove_folder(&hidden)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(ArtifactError::io("remove", &folder)(error)),
        }
        let damaged = format!("{DAMAGED_PREFIX}{revision}-");
        for name in names(step_folder).filter(|name| name.starts_with(&damaged)) {
            remove_folder(&step_folder.join(name))?;
        }
    }
    Ok(())
}

/// Removes what dead processes left in a step's folder: drafts whose lock nobody holds, and artifacts whose removal was cut
/// short. Best effort: what stays is met again by the next run.
pub(crate) fn sweep(step_folder: &Path) {
    // Before the drafts, whose locks say who is alive.
    for name in names(step_folder).filter(|name| name.starts_with(REPLACED_PREFIX)) {
        if let Err(error) = recover(step_folder, &name) {
            tracing::debug!("left behind: {error}");
        }
    }
    for name in names(step_folder) {
        let path = step_folder.join(&name);
        let swept = if name.starts_with(REMOVED_PREFIX) {
            remove_folder(&path)
        } else if let Some(draft) =
            name.strip_suffix(LOCK_SUFFIX).filter(|name| name.starts_with(DRAFT_PREFIX))
        {
            sweep_draft(&step_folder.join(draft), &path)
        } else {
            continue;
        };
        if let Err(error) = swept {
            tracing::debug!("left behind: {error}");
        }
    }
}

/// Removes the files and folders that dead processes left as drafts in a folder of the user's, and nothing else there.
pub(super) fn sweep_draft_files(folder: &Path) {
    let number = |name: &str| name.strip_suffix(LOCK_SUFFIX)?.strip_prefix(DRAFT_PREFIX).map(str::to_owned);
    for name in names(folder) {
        let Some(number) = number(&name) else { continue };
        if number.len() != 16 || !number.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            continue;
        }
        if let Err(error) = sweep_draft(&folder.join(format!("{DRAFT_PREFIX}{number}")), &folder.join(&name))
        {
            tracing::debug!("left behind: {error}");
        }
    }
}

/// Removes a draft and then its lock, so that a draft without a lock never is.
fn sweep_draft(draft: &Path, lock_path: &Path) -> Result<(), ArtifactError> {
    if let Some(lock) = Lock::take_over(lock_path).map_err(ArtifactError::io("lock", lock_path))? {
        remove_folder(draft)?;
        lock.remove().map_err(ArtifactError::io("remove", lock_path))?;
    }
    Ok(())
}

fn remove_folder(path: &Path) -> Result<(), ArtifactError> {
    let removed = match path.symlink_metadata() {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ArtifactError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

fn names(folder: &Path) -> impl Iterator<Item = String> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().and_then(|entry| entry.file_name().into_string().ok()))
}
