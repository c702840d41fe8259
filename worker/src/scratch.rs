//! The folder of a process for what is read once: downloads, and rows that do not fit into memory.
//!
//! Owns the removal of folders whose process was killed. Their owner is known by a lock on the folder itself, which the
//! operating system gives up with the process. Must not know what is in it.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tempfile::TempDir;

use crate::artifact::{open_folder, same_file};
use crate::scratch_name::{PREFIX, RANDOM, is_scratch};

/// A folder that goes with this value. If the process is killed, the next one on the same scratch removes it.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: TempDir,
    /// Locked for as long as it is open. Dropped after the folder.
    held: File,
}

impl Scratch {
    /// Makes a folder in the scratch folder, and removes those of dead processes there.
    ///
    /// # Errors
    /// When the scratch folder cannot be written.
    pub(crate) fn begin(parent: &Path) -> io::Result<Self> {
        loop {
            let folder = tempfile::Builder::new().prefix(PREFIX).rand_bytes(RANDOM).tempdir_in(parent)?;
            // Before it is locked, another process may take it for left behind and remove it. Then a new one is made.
            let held = match open_folder(folder.path()) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                opened => opened?,
            };
            // Without locks nobody removes it either.
            let _ = held.lock();
            if same_file(&held, folder.path()) {
                let scratch = Self { folder, held };
                scratch.sweep_beside(parent);
                return Ok(scratch);
            }
        }
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Removes what dead processes of the same user left. Best effort: what stays is met again.
    fn sweep_beside(&self, parent: &Path) {
        let Ok(own) = self.held.metadata() else { return };
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            let path = entry.path();
            if path == self.path() || !entry.file_name().to_str().is_some_and(is_scratch) {
                continue;
            }
            let Ok(folder) = open_folder(&path) else { continue };
            let is_ours = folder.metadata().is_ok_and(|found| found.is_dir() && found.uid() == own.uid());
            if is_ours && folder.try_lock().is_ok() && same_file(&folder, &path) {
                match fs::remove_dir_all(&path) {
                    Ok(()) => tracing::info!("removed {}, which a killed process left", path.display()),
                    Err(error) => tracing::debug!("left behind: {}: {error}", path.display()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_dead_process_is_removed_and_that_of_a_living_one_is_not() {
        let parent = tempfile::tempdir().expect("a folder");
        let living = Scratch::begin(parent.path()).expect("a folder");
        let [dead, users] =
            ["mlpipeline-scratch-aB3dE6", "mlpipeline-scratch-of-mine"].map(|name| parent.path().join(name));
        for folder in [&dead, &users] {
            fs::create_dir(folder).expect("a folder");
            fs::write(folder.join("rows"), "left").expect("a file");
        }
        let other = Scratch::begin(parent.path()).expect("a folder");
        assert!(!dead.exists());
        assert!(users.exists() && living.path().exists() && other.path().exists());
        drop((living, other));
        assert_eq!(fs::read_dir(parent.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn processes_that_begin_at_once_each_keep_a_folder() {
        let parent = tempfile::tempdir().expect("a folder");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let scratch = Scratch::begin(parent.path()).expect("a folder");
                        fs::write(scratch.path().join("rows"), "kept").expect("a file");
                    }
                });
            }
        });
        assert_eq!(fs::read_dir(parent.path()).expect("a folder").count(), 0);
    }
}
