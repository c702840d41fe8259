//! Locks on files of storage, which the operating system gives up when the process that holds them ends in any way.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::open::options;

/// A locked file; unlocked when dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Creates the file where it is missing and waits until nobody else has it locked. On a file system without locks the
    /// file is had unlocked: whoever finds it there cannot lock it either, and so takes its owner for alive.
    pub(super) fn acquire(path: &Path) -> io::Result<Self> {
        loop {
            let file = open_lock(path)?;
            match file.lock() {
                Ok(()) => {}
                Err(error) if no_locks(&error) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            // Whoever had it before may have removed it while this waited; then the lock is on a file without a name.
            if same_file(&file, path) {
                return Ok(Self { path: path.to_owned(), _file: file });
            }
        }
    }

    /// Creates the file where it is missing and locks it, unless somebody else has it locked. On a file system without locks
    /// it is had unlocked.
    pub(crate) fn try_acquire(path: &Path) -> io::Result<Option<Self>> {
        loop {
            let file = open_lock(path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) if no_locks(&error) => {}
                Err(TryLockError::Error(error)) => return Err(error),
            }
            if same_file(&file, path) {
                return Ok(Some(Self { path: path.to_owned(), _file: file }));
            }
        }
    }

    /// Locks a file that is there, if its owner is surely dead.
    pub(super) fn take_over(path: &Path) -> io::Result<Option<Self>> {
        let file = match options(false).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match file.try_lock() {
            Ok(()) if same_file(&file, path) => Ok(Some(Self { path: path.to_owned(), _file: file })),
            Ok(()) | Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Removes the file while it is locked, and unlocks it.
    pub(super) fn remove(self) -> io::Result<()> {
        std::fs::remove_file(&self.path)
    }
}

/// Opens a lock's file, made where it is missing. A link in its place would lead the lock to a file of somebody else's, and a pipe
/// would keep whoever opens it waiting.
fn open_lock(path: &Path) -> io::Result<File> {
    options(false).create(true).truncate(false).write(true).open(path)
}

/// Whether the file system has no locks: NFS without a lock service answers ENOLCK, for which there is no kind.
fn no_locks(error: &io::Error) -> bool {
    const ENOLCK: i32 = 37;
    error.kind() == io::ErrorKind::Unsupported || error.raw_os_error() == Some(ENOLCK)
}

/// Whether a name still leads to the open file.
pub(crate) fn same_file(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::symlink_metadata(path)) {
        (Ok(open), Ok(named)) => open.dev() == named.dev() && open.ino() == named.ino(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_link_or_a_pipe_in_the_place_of_a_lock_is_refused_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let (link, pipe, other) =
            (folder.path().join("link"), folder.path().join("pipe"), folder.path().join("other"));
        std::os::unix::fs::symlink(&other, &link).expect("a link");
        assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
        for path in [link, pipe] {
            assert!(Lock::acquire(&path).is_err());
            assert!(Lock::try_acquire(&path).is_err());
            assert!(Lock::take_over(&path).is_err());
        }
        assert!(!other.exists());
    }
}
