//! Replacing a folder of the user's choice by a finished draft, so that one of the two has the name whenever the process is killed.
//!
//! Owns the exchange of two names. Where the file system has no such call, the older folder has a name of its own for a moment, from
//! which the next run brings it back.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::error::ArtifactError;
use super::lock::Lock;
use super::names::{DRAFT_PREFIX, LOCK_SUFFIX, REPLACED_PREFIX};

/// Gives a draft's folder the target's name, and the folder that is there the draft's.
///
/// # Errors
/// When storage refuses; then what was there stays.
pub(super) fn replace(draft: &Path, target: &Path) -> Result<(), ArtifactError> {
    if exchange(draft, target).map_err(ArtifactError::io("replace", target))? {
        return Ok(());
    }
    let aside = name_aside(draft, target);
    fs::rename(target, &aside).map_err(ArtifactError::io("replace", target))?;
    if let Err(error) = fs::rename(draft, target) {
        // What was there stays; if even that fails, the first error is the one to report.
        let _ = fs::rename(&aside, target);
        return Err(ArtifactError::io("rename the finished draft to", target)(error));
    }
    // What cannot be renamed now is removed by the next run.
    let _ = fs::rename(&aside, draft);
    Ok(())
}

/// Exchanges the names of two folders in one step; false where the file system cannot.
fn exchange(one: &Path, other: &Path) -> io::Result<bool> {
    match renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).map_err(io::Error::from) {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Where the older folder is for the moment in which it has no name of its own: the draft's number says whose it is.
fn name_aside(draft: &Path, target: &Path) -> PathBuf {
    let number = draft.file_name().unwrap_or_default().to_string_lossy();
    let number = number.trim_start_matches(DRAFT_PREFIX);
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!("{REPLACED_PREFIX}{number}-{name}"))
}

/// Ends what a killed process left between two renames: the older folder gets its name back, unless a newer one has it. `name` is that
/// of the folder aside.
///
/// # Errors
/// When storage refuses.
pub(super) fn recover(folder: &Path, name: &str) -> Result<(), ArtifactError> {
    let Some((number, target)) = name.strip_prefix(REPLACED_PREFIX).and_then(|rest| rest.split_once('-'))
    else {
        return Ok(());
    };
    let lock_path = folder.join(format!("{DRAFT_PREFIX}{number}{LOCK_SUFFIX}"));
    let lock = Lock::take_over(&lock_path).map_err(ArtifactError::io("lock", &lock_path))?;
    if lock.is_none() && lock_path.symlink_metadata().is_ok() {
        // Its owner is at work.
        return Ok(());
    }
    let (aside, target) = (folder.join(name), folder.join(target));
    match target.symlink_metadata() {
        Ok(_) => fs::remove_dir_all(&aside).map_err(ArtifactError::io("remove", &aside)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::rename(&aside, &target).map_err(ArtifactError::io("bring back", &target))?;
            tracing::warn!("{} is what it was before a run that was killed", target.display());
            Ok(())
        }
        Err(error) => Err(ArtifactError::io("look at", &target)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Draft;
    use super::*;

    /// Two folders, each with a file that says which one it is.
    fn folders(root: &Path) -> [PathBuf; 2] {
        [(format!("{DRAFT_PREFIX}0123456789abcdef"), "new"), ("model".to_owned(), "old")].map(
            |(name, content)| {
                let folder = root.join(name);
                fs::create_dir(&folder).expect("a folder");
                fs::write(folder.join("which"), content).expect("a file");
                folder
            },
        )
    }

    fn which(folder: &Path) -> String {
        fs::read_to_string(folder.join("which")).unwrap_or_default()
    }

    #[test]
    fn the_draft_has_the_name_and_what_was_there_goes_with_the_draft() {
        let root = tempfile::tempdir().expect("a folder");
        let [draft, target] = folders(root.path());
        replace(&draft, &target).expect("replaced");
        assert_eq!((which(&target), which(&draft)), ("new".to_owned(), "old".to_owned()));
        assert_eq!(fs::read_dir(root.path()).expect("a folder").count(), 2);
    }

    #[test]
    fn a_folder_without_its_name_gets_it_back_once_its_owner_is_dead() {
        let root = tempfile::tempdir().expect("a folder");
        let [draft, target] = folders(root.path());
        let aside = name_aside(&draft, &target);
        fs::rename(&target, &aside).expect("renamed");
        let lock_path = root.path().join(format!("{DRAFT_PREFIX}0123456789abcdef{LOCK_SUFFIX}"));
        let lock = Lock::acquire(&lock_path).expect("a lock");
        drop(Draft::begin(root.path()).expect("a draft"));
        assert!(aside.exists() && !target.exists(), "its owner is at work");
        drop(lock);
        drop(Draft::begin(root.path()).expect("a draft"));
        assert_eq!(which(&target), "old");
        assert_eq!(
            fs::read_dir(root.path()).expect("a folder").count(),
            1,
            "the draft and its lock are gone"
        );
        // Where a newer one has the name, the older one is not needed.
        fs::create_dir(&aside).expect("a folder");
        drop(Draft::begin(root.path()).expect("a draft"));
        assert_eq!(which(&target), "old");
        assert!(!aside.exists());
    }
}
