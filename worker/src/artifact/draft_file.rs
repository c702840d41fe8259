//! A file that is written beside its final place: there as a whole, or as it was before.
//!
//! Owns its name and its lock, and the removal of those whose process was killed. Must not know what is written.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::lock::Lock;
use super::names::{DRAFT_PREFIX, LOCK_SUFFIX};
use super::remove::sweep_draft_files;

/// A file under a hidden name. Dropped without being published, it is removed; if the process is killed, the next file that is begun in
/// the folder removes it.
#[derive(Debug)]
pub(crate) struct DraftFile {
    path: PathBuf,
    lock: Option<Lock>,
}

impl DraftFile {
    /// Makes an empty file in a folder, as any file that a program of the user's makes: the umask takes its share.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(crate) fn begin(folder: &Path) -> io::Result<Self> {
        sweep_draft_files(folder);
        loop {
            let name = format!("{DRAFT_PREFIX}{:016x}", rand::random::<u64>());
            let lock = Lock::acquire(&folder.join(format!("{name}{LOCK_SUFFIX}")))?;
            let path = folder.join(&name);
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(_) => return Ok(Self { path, lock: Some(lock) }),
                // Another process drew the same name; the lock file is its own.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    let _ = lock.remove();
                    return Err(error);
                }
            }
        }
    }

    /// Where to write.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its final name; what had it is gone.
    ///
    /// # Errors
    /// When storage refuses; then what was there stays.
    pub(crate) fn publish(self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)
    }
}

impl Drop for DraftFile {
    fn drop(&mut self) {
        // After publishing, the file has another name and only the lock file is left.
        let _ = fs::remove_file(&self.path);
        if let Some(lock) = self.lock.take() {
            let _ = lock.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let living = DraftFile::begin(folder.path()).expect("a draft");
        let dead = folder.path().join(".draft-0123456789abcdef");
        let users = [".draft-of-mine", ".draft-of-mine.lock"].map(|name| folder.path().join(name));
        for path in users.iter().chain([&dead, &folder.path().join(".draft-0123456789abcdef.lock")]) {
            fs::write(path, "half of it").expect("a file");
        }
        drop(DraftFile::begin(folder.path()).expect("a draft"));
        assert!(!dead.exists());
        assert!(living.path().exists() && users.iter().all(|path| path.exists()));
        let target = folder.path().join("out.csv");
        living.publish(&target).expect("published");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1 + users.len());
    }
}
