//! Small files that are written beside their place and renamed at once: what killed processes left of them is removed.
//!
//! Owns how a living process is known: it holds a lock on the file itself. It may be swept in the moment before it is locked, so that whoever
//! writes one finds it gone and writes it again. On a file system without locks nothing is swept.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::lock::same_file;
use super::open::options;

/// Locks a file that was made just now, for as long as it is open.
pub(crate) fn own(file: &File) {
    // Without locks nobody removes it either.
    let _ = file.try_lock();
}

/// Removes the regular files of a folder that have a draft's name and nobody owns. Best effort: what stays is met again.
pub(crate) fn sweep_files(folder: &Path, is_draft: impl Fn(&str) -> bool) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if !entry.file_name().to_str().is_some_and(&is_draft) {
            continue;
        }
        let path = entry.path();
        let Ok(file) = options(false).write(true).open(&path) else { continue };
        let is_alone = file.metadata().is_ok_and(|found| found.is_file() && found.nlink() == 1);
        if is_alone && file.try_lock().is_ok() && same_file(&file, &path) {
            let _ = fs::remove_file(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_drafts_that_nobody_owns_are_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let owned = File::create(path("draft-owned")).expect("a file");
        own(&owned);
        for name in ["draft-left", "other"] {
            fs::write(path(name), "").expect("a file");
        }
        fs::create_dir(path("draft-folder")).expect("a folder");
        sweep_files(folder.path(), |name| name.starts_with("draft-"));
        assert!(path("draft-owned").exists() && path("other").exists() && path("draft-folder").exists());
        assert!(!path("draft-left").exists());
        drop(owned);
        sweep_files(folder.path(), |name| name.starts_with("draft-"));
        assert!(!path("draft-owned").exists());
    }
}
