//! One `local` for each pipeline and data folder: the operating system holds the lock and frees it when the process ends,
//! however it ends.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::own_file;

/// How long to wait for a lock: a `plan` that looks whether it is held has it for an instant.
const WAIT_LIMIT: Duration = Duration::from_millis(300);

/// The right to run a pipeline in a data folder, until it is dropped or the process ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why the lock could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error(
        "this pipeline is already running from this data folder in process {holder}; stop that one, or set another --data-dir"
    )]
    Held {
        /// The process, as far as it is known.
        holder: String,
    },
    /// The lock's file cannot be made.
    #[error("cannot write {}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl Lock {
    /// Takes the lock.
    ///
    /// # Errors
    /// When another process has it, or the file cannot be written.
    pub fn take(path: &Path) -> Result<Self, LockError> {
        let unwritable = |source| LockError::Unwritable { path: path.to_owned(), source };
        let mut file = own_file::open_to_lock(path).map_err(unwritable)?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(unwritable(error)),
                Err(TryLockError::WouldBlock) if start.elapsed() < WAIT_LIMIT => std::thread::yield_now(),
                Err(TryLockError::WouldBlock) => return Err(LockError::Held { holder: holder(&mut file) }),
            }
        }
        // Only the message to others needs it, so a full disk is no reason to stop here.
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            write!(file, "{}", std::process::id())
        };
        write(&mut file).ok();
        Ok(Self { _file: file })
    }
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    file.take(20).read_to_string(&mut text).ok();
    let known = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if known { text } else { "(unknown)".to_owned() }
}

/// Whether some process has the lock.
pub(super) fn is_held(path: &Path) -> bool {
    own_file::open_to_read(path)
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_holder_sees_who_the_first_is_and_gets_the_lock_once_it_is_free() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        assert!(!is_held(&path));
        let lock = Lock::take(&path).expect("it is free");
        assert!(is_held(&path));
        let message = Lock::take(&path).expect_err("it is held").to_string();
        assert!(message.contains(&format!("process {}", std::process::id())), "{message}");
        drop(lock);
        assert!(!is_held(&path));
        Lock::take(&path).expect("it is free again");
    }
}
