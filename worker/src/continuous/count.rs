//! How many rows of a parcel the receiver has taken: a small file beside it, so that a restart goes on behind the last one.
//!
//! It is written after each answer, and made durable now and then: a process that is killed loses nothing of it, a node that
//! loses power sends the rows of the last moment once more.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::artifact::ArtifactError;

/// How long rows may be taken before the count is made durable.
const SYNC_EVERY: Duration = Duration::from_millis(500);

/// The digits of the count: always as many, so that one write replaces the one before as a whole.
const DIGITS: usize = 20;

/// The count of one parcel.
#[derive(Debug)]
pub(super) struct Count {
    path: PathBuf,
    file: File,
    /// How many rows were taken.
    pub rows: u64,
    synced: Instant,
}

impl Count {
    /// Begins a count at none for a parcel of this revision.
    pub(super) fn begin(path: &Path, revision: &str) -> Result<Self, ArtifactError> {
        let file = File::create(path).map_err(ArtifactError::io("create", path))?;
        let text = format!("{:0DIGITS$}\n{revision}\n", 0);
        file.write_all_at(text.as_bytes(), 0).map_err(ArtifactError::io("write", path))?;
        file.sync_all().map_err(ArtifactError::io("sync", path))?;
        Ok(Self { path: path.to_owned(), file, rows: 0, synced: Instant::now() })
    }

    /// Goes on with a count, if there is a whole one for this revision.
    pub(super) fn resume(path: &Path, revision: &str) -> Option<Self> {
        let text = std::fs::read_to_string(path).ok()?;
        let (digits, rest) = text.split_once('\n')?;
        let rows = digits.parse().ok().filter(|_| digits.len() == DIGITS && rest.trim_end() == revision)?;
        let file = OpenOptions::new().write(true).open(path).ok()?;
        Some(Self { path: path.to_owned(), file, rows, synced: Instant::now() })
    }

    /// So many rows were taken in all.
    pub(super) fn set(&mut self, rows: u64) -> Result<(), ArtifactError> {
        self.rows = rows;
        let text = format!("{rows:0DIGITS$}");
        self.file.write_all_at(text.as_bytes(), 0).map_err(ArtifactError::io("write", &self.path))?;
        if self.synced.elapsed() >= SYNC_EVERY {
            self.file.sync_data().map_err(ArtifactError::io("sync", &self.path))?;
            self.synced = Instant::now();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_goes_on_for_the_same_revision_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("count");
        assert!(Count::resume(&path, "a").is_none());
        let mut count = Count::begin(&path, "a").expect("a count");
        count.set(12).expect("written");
        count.set(9_999_999_999).expect("written");
        drop(count);
        assert_eq!(Count::resume(&path, "a").expect("the count").rows, 9_999_999_999);
        assert!(Count::resume(&path, "b").is_none());
        std::fs::write(&path, "12").expect("half a count");
        assert!(Count::resume(&path, "a").is_none());
    }
}
