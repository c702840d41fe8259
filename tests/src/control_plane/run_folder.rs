//! The folder of one control plane: keys, data, logs. Kept after a run for whoever looks into a failure, and removed by a
//! later run.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How long the folder of a run that has ended is kept.
const KEPT: Duration = Duration::from_secs(3600);

/// A folder in use: its lock is held while this value lives.
#[derive(Debug)]
pub(super) struct RunFolder {
    path: PathBuf,
    _lock: File,
}

impl RunFolder {
    /// Makes a folder, and removes those of runs that ended long ago.
    ///
    /// # Errors
    /// Names the folder that could not be made.
    pub(super) fn make() -> Result<Self, String> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let parent = std::env::temp_dir().join("mlpipeline-control-planes");
        remove_old(&parent);
        let name = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = parent.join(name);
        let made = fs::remove_dir_all(&path).or_else(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        });
        let lock = made.and_then(|()| fs::create_dir_all(&path)).and_then(|()| {
            let file = File::create(path.join("lock"))?;
            file.lock().map(|()| file)
        });
        let lock = lock.map_err(|error| format!("{} cannot be made: {error}", path.display()))?;
        Ok(Self { path, _lock: lock })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file into it, and returns the file's path.
    ///
    /// # Errors
    /// Names the file that could not be written.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<PathBuf, String> {
        let path = self.path.join(name);
        fs::write(&path, text).map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
        Ok(path)
    }
}

/// Removes what runs have left behind that ended an hour ago or more. What cannot be removed stays: it harms nobody.
fn remove_old(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let lock = entry.path().join("lock");
        let age = fs::metadata(&lock).and_then(|metadata| metadata.modified()).ok();
        let is_old = age.and_then(|time| time.elapsed().ok()).is_some_and(|age| age > KEPT);
        let is_free =
            || File::open(&lock).is_ok_and(|file| !matches!(file.try_lock(), Err(TryLockError::WouldBlock)));
        if is_old && is_free() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
